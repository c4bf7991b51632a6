// Calls of our module's vendor interfaces: their callbacks collected, their failures as our errors.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "cryptoki/keystore_interface.h"

namespace cardea::p11client {

/// The error that a vendor interface names.
Error told_failure(std::string_view name, const char* detail, CK_LONG tries_left);
/// What a call without told failure answers.
Error silent_failure(CK_RV rv);

/// What the callbacks of one call fill in.
template <class Value>
struct Answer {
  Value value{};
  std::optional<Error> told;

  static Value& of(void* context) { return static_cast<Answer*>(context)->value; }
  static void failed(void* context, const char* name, const char* detail, CK_LONG tries_left) {
    static_cast<Answer*>(context)->told = told_failure(name, detail, tries_left);
  }
  Result<Value> result(CK_RV rv) {
    if (rv == CKR_OK) return std::move(value);
    return told ? std::move(*told) : silent_failure(rv);
  }
};

inline CARDEA_PIN raw(ByteView bytes) {
  return {bytes.data(), bytes.size()};
}

/// The functions of a vendor interface of the module at this path, version 1.0; null when it is not ours or cannot be
/// loaded. Does not initialise it.
void* vendor_functions(const std::string& module, const char* interface_name);

}  // namespace cardea::p11client
