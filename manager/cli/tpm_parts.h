// What the commands on virtual cards have in common.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/p11.h"

namespace cardea::cli {

/// The virtual cards of the module that the options name; not_found in words.
Result<TpmCards> tpm_cards(const Context& context);

/// The card that the argument or --token names; without either the only one. not_found or arguments_bad in words.
Result<TpmCard> select_card(const Context& context, const TpmCards& cards, const std::string& argument);

/// The commands of group `tpm` that exchange something with another machine: attest, activate, parent, wrap, import.
void add_tpm_exchange(const Command& group, Context& context);

}  // namespace cardea::cli
