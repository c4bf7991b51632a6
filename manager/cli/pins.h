// Where PINs come from, and the rules that keep tries from being burnt.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/p11.h"

namespace cardea::cli {

/// Which PIN is wanted; decides the option that may name its file.
enum class PinRole { user, officer, fresh };

/// A PIN or key in text: the first line of the file. `what` it holds is named in failures. Warns when others can read
/// the file. user_not_logged_in when the line is empty, permission_denied.
Result<Pin> read_pin_file(const std::string& path, std::string_view what = "PIN");

/// A PIN that exists already: from its file, from the next line of standard input (--pin-stdin), from the URI's
/// pin-source, else typed on the terminal without echo.
Result<Pin> obtain_pin(const Context& context, PinRole role, const std::string& prompt);

/// A PIN that will be set. Typed twice on a terminal; checked against the token's length limits before anything
/// changes.
Result<Pin> obtain_new_pin(const Context& context, PinRole role, const std::string& name, const TokenInfo& token);

/// Logs in once, or not at all: nothing is sent when the token says that the PIN is locked or not set, and the last try
/// needs a "yes" and a freshly typed PIN on a terminal. Never tries again by itself.
Status log_in(const Context& context, const Session& session, CK_USER_TYPE user);

/// Whether the token asks for this PIN by itself (protected authentication path), no option naming where it stands. The
/// security officer's is always given: a card's is a key, which nobody types on a reader.
bool asks_by_itself(const Context& context, const TokenInfo& token, CK_USER_TYPE user);

/// Refuses as log_in does, before a PIN is used by C_SetPIN. `user` says whose PIN.
Status check_tries(const TokenInfo& token, CK_USER_TYPE user);

/// True when the next wrong PIN locks it.
bool is_final_try(const TokenInfo& token, CK_USER_TYPE user);

/// Whether the last try may be used: asks on the terminal. pin_locked in words otherwise.
Status confirm_final_try();

/// The failure of a call that sent a PIN, with the tries left as far as the token tells.
Error pin_failure(const Session& session, CK_RV rv, CK_USER_TYPE user, std::string_view what);

}  // namespace cardea::cli
