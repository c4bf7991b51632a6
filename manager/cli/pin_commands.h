// token pin set, change, unlock.
#pragma once

#include "cli/context.h"

namespace cardea::cli {

/// Adds `pin` below `token`.
void add_pin_commands(CLI::App& token_group, Context& context);

}  // namespace cardea::cli
