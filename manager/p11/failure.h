// Failures of PKCS#11 calls as sentences for a person: what happened and what to do next.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cryptoki/cryptoki.h"

namespace cardea::p11client {

/// "What: why. What to do next." The last part may be empty.
std::string sentence(std::string_view what, std::string_view why, std::string_view next);

/// A failure whose `sentence` is complete: what happened and what to do next. Here and in the command line
/// Error::detail is always such a sentence, printed as it stands.
Error failure(Code code, std::string sentence, SourcePlace where = SourcePlace::here());

/// The failure of a PKCS#11 call: `what` ("The key could not be generated") joined by the meaning of `rv`, its name,
/// the tries left where known, and what to do next.
Error p11_failure(CK_RV rv, std::string_view what, std::optional<int> tries_left = {});

/// The kind of failure that a CK_RV stands for; Code::device_error for one we do not know.
Code code_of(CK_RV rv);

/// What a person can do about this kind of failure; empty when there is nothing general to say.
std::string_view advice(Code code);

}  // namespace cardea::p11client
