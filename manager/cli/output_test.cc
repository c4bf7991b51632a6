#include "cli/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace cardea::cli {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "cardea-output-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

unsigned mode(const fs::path& file) {
  struct stat about {};
  BOOST_REQUIRE(stat(file.c_str(), &about) == 0);
  return about.st_mode & 0777U;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(output)

BOOST_AUTO_TEST_CASE(columns_stand_in_line_and_empty_ones_are_left_out) {
  Table table({"NAME", "NOTHING", "SIZE"});
  table.row({"a", "", "1"});
  table.row({"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", "", "22"});
  BOOST_TEST(table.text() == "NAME    SIZE\na       1\n\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9  22\n");
}

BOOST_AUTO_TEST_CASE(a_file_in_pieces_is_there_when_it_is_finished) {
  const Folder folder;
  const std::string file = (folder.path / "out").string();
  const auto entries = [&] { return std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()); };
  {
    auto output = OutputFile::make(file, FileMode::secret);
    BOOST_REQUIRE(output.ok());
    BOOST_REQUIRE(output->write(view_of("given ")).ok());
  }
  BOOST_TEST(entries() == 0);
  auto output = OutputFile::make(file, FileMode::secret);
  BOOST_REQUIRE(output.ok());
  BOOST_REQUIRE(output->write(view_of("one ")).ok());
  BOOST_REQUIRE(output->write(view_of("two")).ok());
  BOOST_TEST(!fs::exists(file));
  BOOST_REQUIRE(output->finish().ok());
  BOOST_TEST(content(file) == "one two");
  BOOST_TEST(mode(file) == 0600U);
  BOOST_TEST(entries() == 1);
}

BOOST_AUTO_TEST_CASE(a_place_is_tried_without_leaving_anything_there) {
  const Folder folder;
  const std::string file = (folder.path / "out").string();
  BOOST_TEST(check_output(file).ok());
  std::ofstream(file) << "kept";
  BOOST_TEST(check_output(file).ok());
  BOOST_TEST(content(file) == "kept");
  BOOST_TEST(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
  BOOST_TEST((check_output((folder.path / "nowhere" / "out").string()).code() == Code::permission_denied));
  BOOST_TEST(check_output("-").ok());
}

BOOST_AUTO_TEST_CASE(a_file_is_replaced_as_a_whole_with_its_mode) {
  const Folder folder;
  const std::string file = (folder.path / "out").string();
  std::ofstream(file) << "something longer that was there before";
  BOOST_REQUIRE(write_output(file, view_of("secret"), FileMode::secret).ok());
  BOOST_TEST(content(file) == "secret");
  BOOST_TEST(mode(file) == 0600U);
  BOOST_REQUIRE(write_output(file, view_of("public"), FileMode::open).ok());
  BOOST_TEST(mode(file) == 0644U);
  BOOST_TEST(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_an_error) {
  const Folder folder;
  BOOST_TEST(!write_output((folder.path / "none/out").string(), view_of("x"), FileMode::open).ok());
  BOOST_TEST(!write_output(folder.path.string(), view_of("x"), FileMode::open).ok());
  BOOST_TEST((write_output("/dev/full", view_of("x"), FileMode::open).code() == Code::device_memory));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::cli
