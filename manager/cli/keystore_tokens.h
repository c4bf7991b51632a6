// What no PKCS#11 module offers and the software keystore is asked for directly: tries left, delete, import.
#pragma once

#include <optional>

#include "cli/command.h"
#include "cli/p11.h"

namespace cardea::cli {

/// Wrong PINs that a token of the software keystore still allows; absent for other tokens, those of other modules among
/// them, and when unlimited.
std::optional<int> keystore_tries_left(const Module& module, const TokenInfo& token, CK_USER_TYPE user);

/// Adds `token delete` and `token import-softhsm`.
void add_keystore_commands(const Command& token_group, Context& context);

}  // namespace cardea::cli
