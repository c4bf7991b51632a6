// From our errors to the standard's return values: the one place at the C interface.
#pragma once

#include "base/result.h"
#include "cryptoki/cryptoki.h"

namespace cardea::abi {

/// The CK_RV that tells a caller this failure. Exhaustive: a code without one does not compile.
CK_RV to_rv(Code code) noexcept;

}  // namespace cardea::abi
