// What every call goes through: no exception leaves, errors become return values, and the trace is written.
#pragma once

#include <chrono>
#include <new>

#include "abi/rv.h"
#include "abi/trace.h"
#include "crypto/library.h"

namespace cardea::abi {

/// Runs an entry point. After OpenSSL has cleaned itself up at the end of the process every call says "not
/// initialised".
template <class Function, class... Arguments>
CK_RV guarded(const char* name, const char* argument_names, Function function, Arguments... arguments) noexcept {
  const auto call = [&]() noexcept -> CK_RV {
    try {
      if (!crypto::usable()) return CKR_CRYPTOKI_NOT_INITIALIZED;
      const crypto::ErrorScope errors_of_this_call;
      const Status status = function(arguments...);
      return status ? CKR_OK : to_rv(status.code());
    } catch (const std::bad_alloc&) {
      return CKR_HOST_MEMORY;
    } catch (...) {
      return CKR_GENERAL_ERROR;
    }
  };
  if (!trace_enabled()) {
    const CK_RV rv = call();
    // C_Initialize itself turns the trace on.
    if (trace_enabled()) trace_call(name, argument_names, rv, std::chrono::nanoseconds{0}, arguments...);
    return rv;
  }
  const auto begin = std::chrono::steady_clock::now();
  const CK_RV rv = call();
  trace_call(name, argument_names, rv, std::chrono::steady_clock::now() - begin, arguments...);
  return rv;
}

}  // namespace cardea::abi
