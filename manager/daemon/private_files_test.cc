#include "daemon/private_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

using namespace cardea;
using namespace cardea::manager;

BOOST_AUTO_TEST_CASE(secret_pem_is_base64_in_lines) {
  const auto pem = [](std::string_view text) {
    auto made = secret_pem("X", SecretBytes(view_of(text)));
    BOOST_REQUIRE(made.ok());
    return std::string(text_of(made->view()));
  };
  // The vectors of RFC 4648, 10.
  BOOST_TEST(pem("f") == "-----BEGIN X-----\nZg==\n-----END X-----\n");
  BOOST_TEST(pem("fo") == "-----BEGIN X-----\nZm8=\n-----END X-----\n");
  BOOST_TEST(pem("foo") == "-----BEGIN X-----\nZm9v\n-----END X-----\n");
  BOOST_TEST(pem("foob") == "-----BEGIN X-----\nZm9vYg==\n-----END X-----\n");
  BOOST_TEST(pem("fooba") == "-----BEGIN X-----\nZm9vYmE=\n-----END X-----\n");
  BOOST_TEST(pem("foobar") == "-----BEGIN X-----\nZm9vYmFy\n-----END X-----\n");
  const std::string lines = pem(std::string(49, '\0'));
  BOOST_TEST(lines == "-----BEGIN X-----\n" + std::string(64, 'A') + "\nAA==\n-----END X-----\n");
}

BOOST_AUTO_TEST_CASE(new_files_are_private_and_never_overwrite) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("cardea-files-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto file = folder / "secret";
  BOOST_TEST(write_new_file(file, view_of("a"), FileAccess::owner).ok());
  struct stat facts {};
  BOOST_REQUIRE(stat(file.c_str(), &facts) == 0);
  BOOST_TEST((facts.st_mode & 0777) == 0600U);
  BOOST_TEST((write_new_file(file, view_of("b"), FileAccess::all).code() == Code::exists));
  BOOST_TEST((write_new_file(folder / "none" / "x", view_of("b"), FileAccess::all).code() == Code::permission_denied));
  std::filesystem::remove_all(folder);
}
