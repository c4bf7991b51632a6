// How functions of the vendor interfaces answer: as entry points do, and in words when they fail.
#pragma once

#include "abi/guard.h"
#include "cryptoki/keystore_interface.h"
#include "session/output_buffer.h"

namespace cardea::abi {

/// Passes a Status on, and tells the caller in words when it is a failure.
inline Status told(Status status, CARDEA_FAILURE failure, void* context) {
  if (status || failure == nullptr) return status;
  const Error& error = status.error();
  failure(context, std::string(name(error.code)).c_str(), error.detail.c_str(), error.retries_left.value_or(-1));
  return status;
}

inline Result<Pin> pin_of(const CARDEA_PIN* pin) {
  if (pin == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const ByteView bytes, input_bytes(pin->bytes, pin->size));
  return Pin(bytes);
}

/// Calls a function as an entry point is called. `names` are those of its arguments, for the trace.
template <class Function, class... Arguments>
CK_RV answer(const char* name, const char* names, Function function, CARDEA_FAILURE failure, void* context,
             Arguments... arguments) noexcept {
  const auto telling = [&](Arguments... given) { return told(function(given...), failure, context); };
  return guarded(name, names, telling, arguments...);
}

}  // namespace cardea::abi
