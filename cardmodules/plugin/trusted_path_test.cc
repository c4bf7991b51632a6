#include "plugin/trusted_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "plugin/test_folder.h"

namespace cardea::card::plugin {
namespace {

BOOST_AUTO_TEST_SUITE(trusted_paths)

BOOST_AUTO_TEST_CASE(relative_and_missing_paths) {
  BOOST_TEST((trusted_path("cards").code() == Code::arguments_bad));
  BOOST_TEST((trusted_path("/nonexistent/cardea").code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(system_folders_are_trusted) {
  BOOST_TEST(trusted_path("/usr/lib").ok());
}

BOOST_AUTO_TEST_CASE(a_folder_for_all_is_not) {
  const auto refused = trusted_path("/tmp");
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.code() == Code::permission_denied));
  BOOST_TEST(refused.error().detail.find("/tmp") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_folder_above_counts) {
  const TestFolder folder;
  if (!folder.is_trusted()) {
    BOOST_TEST_MESSAGE("skipped: no folder here that only this user can write to, up to the root");
    return;
  }
  const auto inner = folder.path() / "outer" / "inner";
  std::filesystem::create_directories(inner);
  std::ofstream(inner / "file") << "x";
  BOOST_TEST(trusted_path(inner / "file").ok());
  BOOST_REQUIRE(::chmod((folder.path() / "outer").c_str(), 0775) == 0);
  BOOST_TEST((trusted_path(inner / "file").code() == Code::permission_denied));
  BOOST_REQUIRE(::chmod((folder.path() / "outer").c_str(), 0755) == 0);
  BOOST_REQUIRE(::chmod((inner / "file").c_str(), 0666) == 0);
  BOOST_TEST((trusted_path(inner / "file").code() == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(links_count_for_what_they_point_to) {
  const TestFolder folder;
  if (!folder.is_trusted()) {
    BOOST_TEST_MESSAGE("skipped: no folder here that only this user can write to, up to the root");
    return;
  }
  std::filesystem::create_symlink("/tmp", folder.path() / "link");
  BOOST_TEST((trusted_path(folder.path() / "link").code() == Code::permission_denied));
  std::filesystem::create_symlink("/usr", folder.path() / "good");
  const auto real = trusted_path(folder.path() / "good");
  BOOST_REQUIRE(real.ok());
  BOOST_TEST(*real == std::filesystem::canonical("/usr"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::plugin
