#include "cli/pin_commands.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <memory>

#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/pins.h"
#include "cli/terminal.h"

namespace cardea::cli {
namespace {

CK_UTF8CHAR* raw(const Pin& pin) {
  return const_cast<CK_UTF8CHAR*>(pin.view().data());
}

Status say_done(const Context& context, const TokenInfo& token, std::string_view done) {
  if (context.options.json) return print_json({{"label", token.label}, {"serial", token.serial}, {"done", done}});
  return print(fmt::format("Token '{}': the {}.\n", token.label, done));
}

/// False where the token asks for a PIN by itself, but not for a new one.
Result<bool> change_without_pin(const Connection& connection, std::string_view name) {
  note("enter the present PIN, then the new one twice, at the reader or in the token's own window");
  const CK_RV rv = (*connection.module)->C_SetPIN(connection->handle(), nullptr, 0, nullptr, 0);
  if (rv == CKR_OK) return true;
  if (rv != CKR_FUNCTION_NOT_SUPPORTED) {
    return pin_failure(*connection, rv, CKU_USER, fmt::format("The {} was not changed", name));
  }
  note("the token does not ask for a new PIN by itself; enter it here");
  return false;
}

Status change_pin(Context& context, bool officer) {
  const CK_USER_TYPE user = officer ? CKU_SO : CKU_USER;
  const std::string name = officer ? "security officer's PIN" : "user PIN";
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::open_write));
  CARDEA_ASSIGN(const TokenInfo token, connection->token_now());
  CARDEA_TRY(check_tries(token, user));
  const bool last = is_final_try(token, user);
  if (last) CARDEA_TRY(confirm_final_try());
  if (context.options.new_pin_file.empty() && asks_by_itself(context, token, user)) {
    CARDEA_ASSIGN(const bool changed, change_without_pin(connection, name));
    if (changed) return say_done(context, token, name + " was changed");
  }
  const PinRole role = officer ? PinRole::officer : PinRole::user;
  const std::string prompt = fmt::format("Present {} of token '{}': ", name, token.label);
  CARDEA_ASSIGN(const Pin old_pin, last ? ask_pin(prompt) : obtain_pin(context, role, prompt));
  CARDEA_ASSIGN(const Pin new_pin, obtain_new_pin(context, PinRole::fresh, name, token));
  const CK_SESSION_HANDLE session = connection->handle();
  // C_SetPIN changes the PIN of whoever is logged in, the user's when nobody is (PKCS#11 3.2, 5.5.9).
  if (officer) {
    if (const CK_RV rv = connection->login(CKU_SO, &old_pin); rv != CKR_OK) {
      return pin_failure(*connection, rv, user, "The security officer could not log in");
    }
  }
  const Progress progress("changing the PIN");
  const CK_RV rv = (*connection.module)->C_SetPIN(session, raw(old_pin), old_pin.size(), raw(new_pin), new_pin.size());
  if (rv != CKR_OK) return pin_failure(*connection, rv, user, fmt::format("The {} was not changed", name));
  return say_done(context, token, name + " was changed");
}

// C_InitPIN gives the user a PIN for the first time and after a lock alike.
Status set_pin(Context& context, bool unlocking) {
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::open_write));
  CARDEA_ASSIGN(const TokenInfo token, connection->token_now());
  if (!unlocking && token.has(CKF_USER_PIN_INITIALIZED)) {
    return failure(Code::exists,
                   fmt::format("Token '{}' has a user PIN already. Change it with `cardea token pin change`; "
                               "when it is locked or forgotten use `cardea token pin unlock`.",
                               token.label));
  }
  CARDEA_TRY(log_in(context, *connection, CKU_SO));
  CARDEA_ASSIGN(const Pin pin, obtain_new_pin(context, PinRole::fresh, "user PIN", token));
  const Progress progress("setting the PIN");
  const CK_RV rv = (*connection.module)->C_InitPIN(connection->handle(), raw(pin), pin.size());
  if (rv != CKR_OK) return p11_failure(rv, "The user PIN could not be set");
  return say_done(context, token, unlocking ? "user PIN was unlocked and set anew" : "user PIN was set");
}

Command add_pin_command(const Command& group, Context& context, const std::string& name, const std::string& description,
                        const std::string& examples, std::function<Status()> action) {
  const Command command = group.command(context, name, description, examples, Needs::officer, std::move(action));
  command.text("--new-pin-file", context.options.new_pin_file, "read the new PIN from this file", "FILE");
  return command;
}

}  // namespace

void add_pin_commands(const Command& token_group, Context& context) {
  const Command group = token_group.group("pin", "set, change and unlock PINs");
  add_pin_command(group, context, "set", "give the token its first user PIN", "  cardea token pin set --token demo\n",
                  [&context] { return set_pin(context, false); });
  add_pin_command(group, context, "unlock", "set the user PIN anew with the security officer's PIN",
                  "  cardea token pin unlock --token demo\n"
                  "  cardea token pin unlock --so-pin-file so.pin --new-pin-file user.pin\n",
                  [&context] { return set_pin(context, true); });
  const auto officer = std::make_shared<bool>(false);
  const Command change = add_pin_command(group, context, "change", "change a PIN that is known",
                                         "  cardea token pin change --token demo\n  cardea token pin change --so\n",
                                         [&context, officer] { return change_pin(context, *officer); });
  change.flag("--so", *officer, "change the security officer's PIN instead of the user's");
}

}  // namespace cardea::cli
