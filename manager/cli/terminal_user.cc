#include "cli/terminal_user.h"

#include <fmt/format.h>

#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/pins.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace cardea::cli {
namespace {

constexpr std::string_view refused_words = "the token refused the PIN; every wrong one brings the lock nearer";

/// Whether a person who was told that it is the last wants the try to be made.
bool confirm_last_try(std::string_view token) {
  return confirm(fmt::format("This is the last try of {}: a wrong PIN locks it.", printable(token)));
}

}  // namespace

void TerminalUser::tell(std::string_view line) {
  if (line.empty()) return;
  if (context_.options.json) {
    note(printable(line));
  } else {
    (void)print(printable(line) + "\n");
  }
}

Result<Pin> TerminalUser::present_pin(std::string_view token, bool refused) {
  const std::string& file = context_.options.pin_file;
  if (refused && by_itself()) {
    return error(Code::pin_incorrect, "the token refused the PIN, and it is not sent again");
  }
  if (refused) note(std::string(refused_words));
  if (!file.empty()) return read_pin_file(file);
  return obtain_pin(typed(), PinRole::user, fmt::format("PIN of {}: ", printable(token)));
}

Result<Pin> TerminalUser::present_last_pin(std::string_view token) {
  if (!confirm_last_try(token)) {
    return error(Code::pin_incorrect,
                 "only one try of the PIN is left, and it was not used; the last try is made only after a \"yes\" on a "
                 "terminal, with the PIN typed there");
  }
  return ask_pin(fmt::format("PIN of {}: ", printable(token)));
}

Result<bool> TerminalUser::turn_to_pad(std::string_view token, bool refused, bool last) {
  if (by_itself()) return false;
  if (last && !confirm_last_try(token)) {
    return error(Code::pin_incorrect,
                 "only one try of the PIN is left, and it was not used; the last try is made only after a \"yes\" on a "
                 "terminal");
  }
  if (refused) note(std::string(refused_words));
  tell(fmt::format("Type the PIN of {} on the reader.", token));
  return true;
}

Result<Pin> TerminalUser::new_pin(std::string_view token, std::string_view rules, std::string_view problem) {
  const std::string& file = context_.options.new_pin_file;
  const bool by_itself = !file.empty() || context_.options.pin_stdin;
  if (!problem.empty() && by_itself) return error(Code::pin_too_weak, std::string(problem));
  if (!file.empty()) return read_pin_file(file);
  if (!problem.empty()) note(std::string(problem));
  if (!by_itself) note(std::string(rules));
  CARDEA_ASSIGN(Pin pin, obtain_pin(typed(), PinRole::user, fmt::format("New PIN of {}: ", printable(token))));
  if (by_itself) return pin;
  CARDEA_ASSIGN(const Pin again, ask_pin("New PIN again: "));
  if (equal_in_constant_time(pin.view(), again.view())) return pin;
  return new_pin(token, rules, "the two entries differ");
}

Status TerminalUser::show_pin(std::string_view token, const Pin& pin) {
  const std::string label(printable(token));
  if (!context_.options.json) {
    return print(fmt::format("The PIN of {} is {}\nIt is shown only now.\n", label, text_of(pin.view())));
  }
  note("the PIN of " + label + " is shown on a terminal only, or taken from a file with --new-pin-file");
  return error(Code::user_not_logged_in, "nobody is there to see the PIN; run the command without --json");
}

bool TerminalUser::by_itself() const {
  return !context_.options.pin_file.empty() || context_.options.pin_stdin;
}

Context TerminalUser::typed() const {
  Context context;
  context.options.pin_stdin = context_.options.pin_stdin;
  return context;
}

}  // namespace cardea::cli
