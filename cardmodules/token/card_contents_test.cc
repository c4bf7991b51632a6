#include "cards/card_contents.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "cards/fake_card.h"
#include "cards/private_files.h"

namespace cardea::card::test {
namespace {

CardContents example() {
  CardContents contents;
  contents.kind = "fake";
  contents.description.label = "Label";
  contents.description.identity = {1, 2, 3};
  contents.description.problems = {"one", "two"};
  contents.writable = true;
  contents.user_pin = PinState{true, false, true, 2, 3};
  contents.places = {{7, {7, 7}, "seven", PinPolicy::always}, {8, {8}, "", PinPolicy::never}};
  Container container;
  container.place = contents.places->front();
  container.has_key = container.signs = true;
  container.public_key = Bytes(300, 0x55);
  container.certificate = Bytes(1000, 0x66);
  container.touch = TouchPolicy::cached;
  contents.containers[7] = container;
  contents.containers[8] = std::nullopt;
  FileEntry file;
  file.name = "file";
  file.reference = 0x5fc102;
  contents.files = {file};
  contents.file_states[file.reference] = FileState{true, Bytes{9}};
  return contents;
}

const CacheKey key{"Reader", {1}, 5};
constexpr auto stamp_five = [](ByteView) { return std::uint64_t{5}; };

struct Cache : Directories {
  ContentsCache cache{root / "cards"};
  std::filesystem::path file() const { return std::filesystem::directory_iterator(root / "cards")->path(); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(card_contents)

BOOST_AUTO_TEST_CASE(come_back_as_they_were) {
  const Bytes bytes = serialise(example());
  const auto read = parse_contents(bytes);
  BOOST_REQUIRE(read.ok());
  BOOST_TEST((serialise(*read) == bytes));
  BOOST_TEST(read->description.problems.size() == 2u);
  BOOST_TEST((read->user_pin->retries_left == 2));
  BOOST_TEST((read->places->at(0).pin == PinPolicy::always));
  BOOST_TEST(!read->containers.at(8));
  BOOST_TEST((read->containers.at(7)->touch == TouchPolicy::cached));
  BOOST_TEST((read->file_states.at(0x5fc102).content == Bytes{9}));
}

BOOST_AUTO_TEST_CASE(no_cut_is_taken_for_the_whole) {
  const Bytes bytes = serialise(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    BOOST_REQUIRE(parse_contents(ByteView(bytes).first(size)).code() == Code::data_invalid);
  }
  Bytes longer = bytes;
  longer.push_back(0);
  BOOST_TEST(parse_contents(longer).code() == Code::data_invalid);
}

BOOST_AUTO_TEST_CASE(no_changed_byte_does_harm) {
  const Bytes bytes = serialise(example());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes changed = bytes;
    changed[i] ^= 0xff;
    const auto read = parse_contents(changed);
    if (!read) {
      ++refused;
    } else {
      BOOST_REQUIRE((serialise(*read) == changed));
    }
  }
  BOOST_TEST(refused > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(contents_cache, Cache)

BOOST_AUTO_TEST_CASE(is_for_one_insertion_and_state) {
  BOOST_TEST(!cache.load("Reader", Bytes{1}, stamp_five));
  cache.store(key, example());
  BOOST_TEST(cache.load("Reader", Bytes{1}, stamp_five).has_value());
  BOOST_TEST(!cache.load("Reader", Bytes{2}, stamp_five));
  BOOST_TEST(!cache.load("Reader", Bytes{}, stamp_five));
  BOOST_TEST(!cache.load("Other", Bytes{1}, stamp_five));
  BOOST_TEST(!cache.load("Reader", Bytes{1}, [](ByteView) { return std::uint64_t{6}; }));
  struct stat status {};
  BOOST_REQUIRE(::stat(file().c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777) == 0600u);
  cache.store({"Reader", {2}, 5}, example());
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(root / "cards"), {}) == 1);
}

BOOST_AUTO_TEST_CASE(junk_is_nothing) {
  cache.store(key, example());
  const auto whole = *read_private_file(file(), 1 << 20);
  for (std::size_t i = 0; i < whole.size(); i += 13) {
    Bytes changed = whole;
    changed[i] ^= 1;
    BOOST_REQUIRE(replace_private_file(file(), changed));
    BOOST_REQUIRE(!cache.load("Reader", Bytes{1}, stamp_five));
  }
  const std::filesystem::path place = file();
  std::filesystem::remove(place);
  BOOST_REQUIRE(::mkfifo(place.c_str(), 0600) == 0);
  BOOST_TEST(!cache.load("Reader", Bytes{1}, stamp_five));
  std::filesystem::remove(place);
  std::filesystem::create_symlink("/etc/passwd", place);
  BOOST_TEST(!cache.load("Reader", Bytes{1}, stamp_five));
  std::filesystem::remove(place);
  std::filesystem::create_directory(place);
  BOOST_TEST(!cache.load("Reader", Bytes{1}, stamp_five));
  cache.store(key, example());
}

BOOST_AUTO_TEST_CASE(directories_must_be_private) {
  BOOST_TEST(ensure_private_directory(root / "a" / "b"));
  BOOST_REQUIRE(::chmod((root / "a" / "b").c_str(), 0777) == 0);
  BOOST_TEST(!ensure_private_directory(root / "a" / "b"));
  std::filesystem::create_directory_symlink(root / "a", root / "link");
  BOOST_TEST(!ensure_private_directory(root / "link"));
  std::ofstream(root / "file") << "x";
  BOOST_TEST(!ensure_private_directory(root / "file"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::card::test
