// token pin set, change, unlock.
#pragma once

#include "cli/command.h"

namespace cardea::cli {

/// Adds `pin` below `token`.
void add_pin_commands(const Command& token_group, Context& context);

}  // namespace cardea::cli
