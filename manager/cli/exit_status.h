// What the program's exit status tells a script. The same table stands in docs/man/cardea.1.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cryptoki/cryptoki.h"

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

/// A failure whose `sentence` is complete: what happened and what to do next. In this folder Error::detail is always
/// such a sentence, printed as it stands.
Error failure(Code code, std::string sentence, SourcePlace where = SourcePlace::here());

/// The failure of a PKCS#11 call: `what` ("The key could not be generated") joined by the meaning of `rv`, its name,
/// the tries left where known, and what to do next.
Error p11_failure(CK_RV rv, std::string_view what, std::optional<int> tries_left = {});

/// An error of a library below, told with `what` in front and what to do next behind.
Error library_failure(const Error& cause, std::string_view what);

/// The kind of failure that a CK_RV stands for; Code::device_error for one we do not know.
Code code_of(CK_RV rv);

/// What a person can do about this kind of failure; empty when there is nothing general to say.
std::string_view advice(Code code);

}  // namespace cardea::cli
