// The recovery code of a sealed token: what opens its seal where the machine that sealed it is gone.
#pragma once

#include "base/result.h"
#include "base/secret.h"

namespace cardea::keystore {

/// 128 random bits for a person to write down: 32 hexadecimal digits in groups of four.
Result<Pin> new_recovery_code();

/// The code as it was made, whichever way it was typed: capitals, blanks and dashes do not matter. pin_invalid when it
/// cannot be one.
Result<Pin> read_recovery_code(const Pin& typed);

}  // namespace cardea::keystore
