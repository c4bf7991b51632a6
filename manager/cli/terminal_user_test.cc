// Where the PIN of a card comes from when its reader has a PIN pad.
#include "cli/terminal_user.h"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

namespace cardea::cli {
namespace {

/// Whether `what` holds in a process that has no terminal, so that nobody can be asked.
template <class What>
bool holds_without_terminal(What what) {
  const pid_t child = fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    setsid();
    _exit(what() ? 0 : 1);
  }
  int status = -1;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  return status == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(terminal_user)

BOOST_AUTO_TEST_CASE(a_pin_in_a_file_or_on_standard_input_is_not_typed_on_the_pad) {
  Context file;
  file.options.pin_file = "/nowhere";
  Context input;
  input.options.pin_stdin = true;
  for (const Context* context : {&file, &input}) {
    const auto on_pad = TerminalUser(*context).turn_to_pad("card", false, false);
    BOOST_REQUIRE(on_pad.ok());
    BOOST_TEST(!*on_pad);
  }
}

BOOST_AUTO_TEST_CASE(the_pad_takes_no_terminal_and_its_last_try_does) {
  const Context context;
  BOOST_TEST(holds_without_terminal([&] {
    const auto on_pad = TerminalUser(context).turn_to_pad("card", false, false);
    return on_pad.ok() && *on_pad;
  }));
  BOOST_TEST(holds_without_terminal(
      [&] { return TerminalUser(context).turn_to_pad("card", false, true).code() == Code::pin_incorrect; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::cli
