// What `doctor` says of card readers and cards.
#pragma once

#include "base/config.h"
#include "cli/p11.h"

namespace cardea::cli {

void check_cards(const Settings& settings, Findings& findings);

}  // namespace cardea::cli
