// What the program's exit status tells a script. The same table stands in docs/man/cardea.1.
#pragma once

#include "base/result.h"
#include "cli/p11.h"

namespace cardea::cli {

enum ExitStatus : int {
  exit_ok = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_not_found = 3,
  exit_pin = 4,       ///< PIN wrong, locked, not set, or none could be asked for
  exit_mismatch = 5,  ///< `verify`: the signature does not match
};

/// The status that an error of this kind gives.
ExitStatus exit_status(Code code);

/// An error of a library below, told with `what` in front and what to do next behind.
Error library_failure(const Error& cause, std::string_view what);

}  // namespace cardea::cli
