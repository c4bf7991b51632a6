// One-time codes by which a person collects a credential (requirements L3). Only a keyed check value is stored.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "domain/key_token.h"
#include "domain/model.h"
#include "domain/profile.h"

namespace cardea::manager {

/// A random code by the rules, without the request's number.
Result<SecretBytes> random_code(const CodeRules& rules);
/// The code as it is shown: number, hyphen, the code in groups of four.
SecretBytes displayed_code(Id request, const SecretBytes& code);
/// What was typed, taken apart: spaces are ignored, letters count regardless of case. arguments_bad when it is no code.
struct TypedCode {
  Id request = 0;
  SecretBytes code;
};
Result<TypedCode> typed_code(std::string_view text);
/// The value that is stored: derived from a key in the key token, bound to the request.
Result<Bytes> code_check(KeyToken& keys, Id request, const SecretBytes& code);

}  // namespace cardea::manager
