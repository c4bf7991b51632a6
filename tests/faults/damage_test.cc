// Homes that are damaged, unwritable, from the future, or configured wrongly.
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "faults/setting.h"

namespace cardea::test {

namespace fs = std::filesystem;

namespace {

constexpr uid_t nobody = 65534;

struct WithToken {
  WithToken() { home.make_token(); }
  Home home;
};

void expect_sound(const Outcome& outcome, const std::string& what) {
  BOOST_TEST(outcome.exit_status == 0, what << ": status " << outcome.exit_status << " signal " << outcome.signal
                                            << (outcome.timed_out ? " timed out" : "") << "\n"
                                            << outcome.err);
}

void flip(const fs::path& file, std::size_t offset, unsigned char mask) {
  std::string content = read_file(file);
  content.at(offset) = static_cast<char>(content.at(offset) ^ mask);
  write_file(file, content);
}

// Occurrences of words on lines of standard error.
std::size_t count(const std::string& text, const std::string& words) {
  std::size_t found = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++found;
  return found;
}

void execute(const fs::path& database, const char* statement) {
  sqlite3* connection = nullptr;
  BOOST_REQUIRE(sqlite3_open(database.c_str(), &connection) == SQLITE_OK);
  const int result = sqlite3_exec(connection, statement, nullptr, nullptr, nullptr);
  sqlite3_close(connection);
  BOOST_REQUIRE(result == SQLITE_OK);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(damage, WithToken)

BOOST_AUTO_TEST_CASE(a_flipped_byte_anywhere_in_the_store_never_crashes_the_module) {
  const std::size_t size = fs::file_size(home.store());
  const std::size_t step = size / 150 + 1;
  for (std::size_t offset = 0, round = 0; offset < size; offset += step, ++round) {
    const Home damaged(home);
    flip(damaged.store(), offset, round % 2 == 0 ? 0xff : 0x01);
    expect_sound(damaged.work({"survive"}), "byte " + std::to_string(offset));
  }
}

BOOST_AUTO_TEST_CASE(a_flipped_byte_of_the_header_or_of_a_page_start_never_crashes_the_module) {
  for (std::size_t offset = 0; offset < 110; ++offset) {
    const Home damaged(home);
    flip(damaged.store(), offset, 0x40);
    expect_sound(damaged.work({"survive"}), "byte " + std::to_string(offset));
  }
}

BOOST_AUTO_TEST_CASE(a_store_cut_short_never_crashes_the_module) {
  const std::size_t size = fs::file_size(home.store());
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, std::size_t{99}, std::size_t{4096}, size / 2, size - 1}) {
    const Home damaged(home);
    fs::resize_file(damaged.store(), length);
    expect_sound(damaged.work({"survive"}), "cut to " + std::to_string(length));
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_object_costs_that_object_only) {
  BOOST_REQUIRE(home.work({"write", "w", "3"}).succeeded());  // leaves the secret w2, labelled "changed", and pairs
  const std::string content = read_file(home.store());
  const std::size_t label = content.find("changed");
  BOOST_REQUIRE(label != std::string::npos);
  flip(home.store(), label, 0x20);
  const Outcome outcome = home.work({"survive"});
  expect_sound(outcome, "damaged label");
  const std::vector<std::string> seen = lines(outcome.out);
  for (const char* other : {"login", "object untouched", "object signer", "object w0", "object w1"}) {
    BOOST_TEST((std::find(seen.begin(), seen.end(), other) != seen.end()), other << " is missing:\n" << outcome.out);
  }
}

BOOST_AUTO_TEST_CASE(a_store_of_a_newer_version_is_refused_and_left_alone) {
  execute(home.store(), "PRAGMA user_version = 1000000");
  const std::string before = read_file(home.store());
  const Outcome outcome = home.work({"sign"});
  BOOST_TEST(outcome.exit_status == 1);
  expect_sound(home.work({"survive"}), "newer store");
  BOOST_TEST((read_file(home.store()) == before), "a newer store was written to");
}

BOOST_AUTO_TEST_CASE(a_broken_configuration_is_told_once_and_costs_only_its_broken_part) {
  const std::string good = read_file(home.config());
  write_file(home.config(), good + "retry_limits = \"many\"\n[trace]\nfile = 7\n");
  const Outcome wrong_values = home.work({"cycles", "4"});
  BOOST_TEST(wrong_values.succeeded(), wrong_values.err);
  BOOST_TEST(count(wrong_values.err, "cardea.toml:5") == 1u, wrong_values.err);
  write_file(home.config(), "[keystore\nretry_limit = \n");
  const Outcome no_toml = home.work({"cycles", "4"});
  BOOST_TEST(no_toml.succeeded(), no_toml.err);
  BOOST_TEST(count(no_toml.err, "cardea.toml:1") == 1u, no_toml.err);
}

BOOST_AUTO_TEST_CASE(without_a_configuration_the_defaults_serve_in_silence) {
  const Environment bare{{"CARDEA_CONF", ""},
                         {"HOME", home.path().parent_path().string()},
                         {"XDG_CONFIG_HOME", (home.path().parent_path() / "nothing").string()}};
  const Outcome outcome = home.work({"sign"}, bare);
  BOOST_TEST(outcome.succeeded(), outcome.err);
  BOOST_TEST(outcome.err.empty(), outcome.err);
}

BOOST_AUTO_TEST_CASE(a_home_that_cannot_be_made_leaves_a_working_module_without_tokens) {
  const Outcome outcome = home.work({"survive"}, {{"CARDEA_HOME", "/proc/nowhere/cardea"}});
  expect_sound(outcome, "impossible home");
}

BOOST_AUTO_TEST_CASE(a_read_only_mount_still_signs) {
  const Outcome outcome = home.work({"read-only", "mount", "0"});
  if (outcome.exit_status == 77) {
    BOOST_TEST_MESSAGE("skipped: mounting is not allowed here");
    return;
  }
  expect_sound(outcome, "read-only mount");
}

BOOST_AUTO_TEST_CASE(a_home_without_write_permission_still_signs) {
  const uid_t user = geteuid() == 0 ? nobody : 0;
  if (user != 0) home.give_to(user);
  for (const auto& entry : fs::recursive_directory_iterator(home.path())) {
    fs::permissions(entry.path(),
                    entry.is_directory() ? fs::perms::owner_read | fs::perms::owner_exec : fs::perms::owner_read);
  }
  fs::permissions(home.path(), fs::perms::owner_read | fs::perms::owner_exec);
  const Outcome outcome = home.work({"read-only", "permissions", std::to_string(user)});
  for (const auto& entry : fs::recursive_directory_iterator(home.path())) {
    if (entry.is_directory()) fs::permissions(entry.path(), fs::perms::owner_all);
  }
  fs::permissions(home.path(), fs::perms::owner_all);
  expect_sound(outcome, "read-only permissions");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::test
