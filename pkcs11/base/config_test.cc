#include "base/config.h"

#include <stdlib.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

namespace cardea {
namespace {

namespace fs = std::filesystem;

/// A folder of its own and an environment that points nowhere else.
struct Folder {
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "cardea-config-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    for (const char* name :
         {"CARDEA_HOME", "CARDEA_CONF", "CARDEA_TRACE", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"})
      unsetenv(name);
    setenv("XDG_CONFIG_HOME", path.c_str(), 1);
    setenv("HOME", path.c_str(), 1);
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  Settings load(const std::string& text) const {
    std::ofstream(path / "cardea.toml") << text;
    setenv("CARDEA_CONF", (path / "cardea.toml").c_str(), 1);
    return load_settings();
  }
  fs::path path;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(config, Folder)

BOOST_AUTO_TEST_CASE(defaults_without_a_file) {
  setenv("CARDEA_CONF", (path / "none.toml").c_str(), 1);
  const Settings named = load_settings();
  BOOST_REQUIRE_EQUAL(named.problems.size(), 1u);
  BOOST_TEST(named.problems[0].find("none.toml") != std::string::npos);
  BOOST_TEST(named.keystore.retry_limit == 10);
  BOOST_TEST(named.keystore.pin_cost.memory_kib > 0u);
  BOOST_TEST(named.home == path / ".local/share/cardea");
  setenv("CARDEA_CONF", "/dev/null", 1);
  BOOST_TEST(load_settings().problems.empty());
}

BOOST_AUTO_TEST_CASE(environment_chooses_the_home) {
  setenv("XDG_DATA_HOME", "relative", 1);
  BOOST_TEST(load_settings().home == path / ".local/share/cardea");
  setenv("XDG_DATA_HOME", (path / "data").c_str(), 1);
  BOOST_TEST(load_settings().home == path / "data/cardea");
  setenv("CARDEA_HOME", (path / "own").c_str(), 1);
  BOOST_TEST(load_settings().home == path / "own");
}

BOOST_AUTO_TEST_CASE(cards) {
  const Settings defaults = load("");
  BOOST_TEST(defaults.card.enabled);
  BOOST_TEST(defaults.card.cache);
  BOOST_TEST(!defaults.card.factory_admin_key);
  BOOST_TEST(defaults.card.ignore_readers.empty());
  BOOST_TEST(defaults.cache_directory == path / ".cache/cardea");
  BOOST_TEST(defaults.runtime_directory == "/tmp/cardea-" + std::to_string(geteuid()));
  setenv("XDG_RUNTIME_DIR", (path / "run").c_str(), 1);
  const Settings set = load(
      "[card]\nenabled = false\ncache = false\nignore_readers = [\"A*\", \"B\"]\nadmin_key = \"factory\"\n"
      "admin_key_file = \"/k\"\nplugin_directory = \"/p\"\n");
  BOOST_TEST(set.problems.empty());
  BOOST_TEST(!set.card.enabled);
  BOOST_TEST(!set.card.cache);
  BOOST_TEST(set.card.factory_admin_key);
  BOOST_TEST(set.card.ignore_readers == (std::vector<std::string>{"A*", "B"}), boost::test_tools::per_element());
  BOOST_TEST(set.card.admin_key_file == "/k");
  BOOST_TEST(set.card.plugin_directory == "/p");
  BOOST_TEST(set.runtime_directory == path / "run/cardea");
}

BOOST_AUTO_TEST_CASE(slips_in_the_cards_settings_keep_the_defaults) {
  const Settings slips = load("[card]\nadmin_key = \"known\"\nignore_readers = [1]\nplugin_directory = \"here\"\n");
  BOOST_TEST(slips.problems.size() == 3u);
  BOOST_TEST(!slips.card.factory_admin_key);
  BOOST_TEST(slips.card.ignore_readers.empty());
  BOOST_TEST(slips.card.plugin_directory.empty());
}

BOOST_AUTO_TEST_CASE(letters_of_other_scripts_outside_quotes_are_a_slip_like_any_other) {
  for (const char* text : {"[trace]\nfile = 6\"/tmp\xd1\x86race\"\n", "\xd1\x86 = 1\n", "[keystore]\xd1\x86\n"}) {
    const Settings settings = load(text);
    BOOST_TEST(settings.problems.size() == 1u);
    BOOST_TEST(settings.keystore.retry_limit == 10);
  }
}

BOOST_AUTO_TEST_CASE(the_users_file_is_found) {
  fs::create_directories(path / "cardea");
  std::ofstream(path / "cardea/cardea.toml") << "[keystore]\nretry_limit = 3\n";
  const Settings settings = load_settings();
  BOOST_TEST(settings.config_file == path / "cardea/cardea.toml");
  BOOST_TEST(settings.keystore.retry_limit == 3);
  BOOST_TEST(settings.problems.empty());
}

BOOST_AUTO_TEST_CASE(values_are_taken) {
  const Settings settings = load(
      "[keystore]\nenabled = false\nmin_pin_length = 6\nmax_pin_length = 12\nretry_limit = 0\nso_retry_limit = 4\n"
      "[keystore.pin_cost]\nmemory_kib = 64\niterations = 1\nlanes = 2\n[trace]\nfile = \"/nowhere/trace\"\n");
  BOOST_TEST(settings.problems.empty());
  BOOST_TEST(!settings.keystore.enabled);
  BOOST_TEST(settings.keystore.min_pin_length == 6u);
  BOOST_TEST(settings.keystore.max_pin_length == 12u);
  BOOST_TEST(settings.keystore.retry_limit == 0);
  BOOST_TEST(settings.keystore.so_retry_limit == 4);
  BOOST_TEST(settings.keystore.pin_cost.memory_kib == 64u);
  BOOST_TEST(settings.keystore.pin_cost.lanes == 2u);
  BOOST_TEST(settings.trace_file == "/nowhere/trace");
  setenv("CARDEA_TRACE", "/elsewhere/trace", 1);
  BOOST_TEST(load_settings().trace_file == "/elsewhere/trace");
}

BOOST_AUTO_TEST_CASE(a_wrong_value_costs_only_itself) {
  const Settings settings = load(
      "[keystore]\nretry_limit = \"many\"\nso_retry_limit = 5\nunknown = 1\nmin_pin_length = -1\n\n[trace]\nfile = "
      "7\n");
  BOOST_TEST(settings.keystore.retry_limit == 10);
  BOOST_TEST(settings.keystore.so_retry_limit == 5);
  BOOST_REQUIRE_EQUAL(settings.problems.size(), 4u);
  const std::string file = (path / "cardea.toml").string();
  BOOST_TEST(settings.problems[0] == file + ":5: keystore.min_pin_length must be from 1 to 1024");
  BOOST_TEST(settings.problems[1] == file + ":2: keystore.retry_limit must be a whole number");
  BOOST_TEST(settings.problems[2] == file + ":4: keystore.unknown is no setting of this version");
  BOOST_TEST(settings.problems[3] == file + ":8: trace.file must be an absolute path in quotes");
}

BOOST_AUTO_TEST_CASE(contradictions_are_refused) {
  const Settings lengths = load("[keystore]\nmin_pin_length = 20\nmax_pin_length = 10\n");
  BOOST_TEST(lengths.problems.size() == 1u);
  BOOST_TEST(lengths.keystore.min_pin_length == 4u);
  const Settings cost = load("[keystore.pin_cost]\nmemory_kib = 8\nlanes = 4\n");
  BOOST_TEST(cost.problems.size() == 1u);
  BOOST_TEST(cost.keystore.pin_cost.lanes == 1u);
}

BOOST_AUTO_TEST_CASE(broken_syntax_names_the_line) {
  const Settings settings = load("[keystore]\nretry_limit = 3\n= nonsense\n");
  BOOST_REQUIRE_EQUAL(settings.problems.size(), 1u);
  BOOST_TEST(settings.problems[0].starts_with((path / "cardea.toml").string() + ":3: "));
  BOOST_TEST(settings.keystore.retry_limit == 10);
}

BOOST_AUTO_TEST_CASE(a_table_without_a_name_is_a_mistake_and_no_crash) {
  for (const char* const text :
       {"[;keystore]\n", "[", "[[;]]", "a.;b = 1\n", "{;", "x = {;}\n", "x = 5\u00e4\n", "x = 6.\ufdbf4\n"}) {
    const Settings settings = load(text);
    BOOST_TEST(settings.problems.size() == 1u, text);
    BOOST_TEST(settings.keystore.retry_limit == 10);
  }
}

BOOST_AUTO_TEST_CASE(letters_beyond_ascii_stand_in_quotes_and_comments) {
  const Settings settings = load("\xef\xbb\xbf# \u00e4\n[trace]\nfile = \"/\\\"\u00e4\" # \u00e4\n");
  BOOST_TEST(settings.problems.empty());
  BOOST_TEST(settings.trace_file == "/\"\u00e4");
  BOOST_TEST(load("\n\nx = '''\n\u00e4'''\n").problems.at(0).find(":3: characters") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(unreadable_things_are_no_files) {
  fs::create_directories(path / "cardea.toml");
  setenv("CARDEA_CONF", (path / "cardea.toml").c_str(), 1);
  BOOST_TEST(load_settings().problems.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_default_text_is_the_default) {
  const Settings commented = load(default_config_text());
  BOOST_TEST(commented.problems.empty());
  std::string text = default_config_text();
  std::istringstream lines(text);
  std::string active;
  for (std::string line; std::getline(lines, line);) {
    const bool setting = line.starts_with("# ") && line.find(" = ") != std::string::npos;
    active += (setting ? line.substr(2) : line) + "\n";
  }
  const Settings settings = load(active);
  BOOST_TEST(settings.problems.empty());
  BOOST_TEST(settings.keystore.pin_cost.iterations == commented.keystore.pin_cost.iterations);
  BOOST_TEST(settings.keystore.max_pin_length == KeystoreSettings().max_pin_length);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea
