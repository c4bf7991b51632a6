#include "cli/card_users.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>

namespace cardea::cli {

BOOST_AUTO_TEST_SUITE(card_users)

BOOST_AUTO_TEST_CASE(another_process_with_the_library_is_found) {
  std::array<int, 2> end{};
  BOOST_REQUIRE(pipe(end.data()) == 0);
  const pid_t child = fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    alarm(60);
    close(end[1]);
    char byte = 0;
    _exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
  }
  const auto is = [](pid_t id) { return [id](const RunningProgram& program) { return program.id == id; }; };
  const auto found = programs_with_library("libboost_unit_test_framework");
  const auto other = std::find_if(found.begin(), found.end(), is(child));
  BOOST_REQUIRE(other != found.end());
  BOOST_TEST(other->name == "cli_test");
  BOOST_TEST(std::none_of(found.begin(), found.end(), is(getpid())));
  const auto none = programs_with_library("libof-no-such-name");
  BOOST_TEST(none.empty());
  close(end[0]);
  close(end[1]);
  waitpid(child, nullptr, 0);
}

BOOST_AUTO_TEST_CASE(what_to_do_names_who_may_hold_the_card) {
  BOOST_TEST(advice_about_holders({{7, "firefox-esr"}, {9, "scdaemon"}}).find("gpgconf --kill scdaemon") !=
             std::string::npos);
  BOOST_TEST(advice_about_holders({{7, "firefox-esr"}, {8, "a\x1b[1mb"}}) ==
             "end the program that holds the card; these use cards now: firefox-esr (process 7), a?[1mb (process 8)");
  BOOST_TEST(advice_about_holders({}).find("another user") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::cli
