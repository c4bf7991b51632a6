// token seal and unseal: software keystore tokens bound to this machine's TPM.
#pragma once

#include "cli/command.h"
#include "cli/p11.h"

namespace cardea::cli {

/// Whether a token of this module is sealed.
bool is_sealed(const std::string& module, const TokenInfo& token);

/// Adds `token seal` and `token unseal`.
void add_seal_commands(const Command& token_group, Context& context);

}  // namespace cardea::cli
