#include "plugin/loader.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "plugin/test_folder.h"

namespace cardea::card::plugin {
namespace {

BOOST_AUTO_TEST_SUITE(loading)

BOOST_AUTO_TEST_CASE(nothing_is_loaded_without_a_folder) {
  const LoadedPlugins none = load_plugins({});
  BOOST_TEST((none.plugins.empty() && none.problems.empty()));
  const LoadedPlugins missing = load_plugins("/nonexistent/cardea");
  BOOST_TEST(missing.plugins.empty());
  BOOST_TEST(missing.problems.size() == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_is_loaded_from_a_folder_for_all) {
  const LoadedPlugins refused = load_plugins("/tmp");
  BOOST_TEST(refused.plugins.empty());
  BOOST_REQUIRE(refused.problems.size() == 1u);
  BOOST_TEST(refused.problems[0].find("others") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_good_are_loaded_and_the_bad_are_named) {
  const TestFolder folder;
  if (!folder.is_trusted()) {
    BOOST_TEST_MESSAGE("skipped: no folder here that only this user can write to, up to the root");
    return;
  }
  std::filesystem::copy_file(CARDEA_SAMPLE_PLUGIN, folder.path() / "sample.so");
  std::filesystem::copy_file(CARDEA_SAMPLE_PLUGIN, folder.path() / "writable.so");
  BOOST_REQUIRE(::chmod((folder.path() / "writable.so").c_str(), 0777) == 0);
  std::ofstream(folder.path() / "text.so") << "no shared object";
  std::filesystem::create_directory(folder.path() / "folder.so");
  std::ofstream(folder.path() / "README") << "not looked at";
  const LoadedPlugins loaded = load_plugins(folder.path());
  BOOST_REQUIRE(loaded.plugins.size() == 1u);
  BOOST_TEST(loaded.plugins[0].name == "sample");
  BOOST_TEST(loaded.problems.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_library_that_is_no_plug_in_is_refused) {
  Dl_info where{};
  BOOST_REQUIRE(::dladdr(reinterpret_cast<void*>(&::zlibVersion), &where) != 0);
  const auto refused = load_plugin(std::filesystem::canonical(where.dli_fname));
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.code() == Code::data_invalid));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::plugin
