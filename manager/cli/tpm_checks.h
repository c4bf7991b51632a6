// What `doctor` looks at in virtual smart cards.
#pragma once

#include <string>

#include "base/config.h"
#include "cli/p11.h"

namespace cardea::cli {

/// Compares each virtual card with the TPM, through the module at this path. Nothing to find where there are none.
void check_virtual_cards(const std::string& module, const Settings& settings, Findings& findings);

}  // namespace cardea::cli
