// Our own library context inside OpenSSL: the host's configuration, engines and providers do not reach it, and ours do
// not reach the host. Only this folder (and manager/ca) includes <openssl/…>.
#pragma once

#include <openssl/types.h>

#include <string_view>

#include "base/result.h"

namespace cardea::crypto {

/// The private context with the default provider, made on first use and again in a forked child. Never freed: threads
/// may still sign while the process exits.
OSSL_LIB_CTX* context();

/// The context of the default provider itself, which its functions want (provider-base(7)).
void* provider_context();

/// The functions of the default provider's algorithm of that name, or null when it has none. `operation` is one of
/// OSSL_OP_…, `name` any of the algorithm's names as OpenSSL writes it. A fetch would set up all algorithms of the
/// operation and, when it fails, take long as well; this compares names.
const OSSL_DISPATCH* provided(int operation, std::string_view name);

/// False once OpenSSL has cleaned itself up at the end of the process; nothing of it may be called after that. To be
/// asked before anything else of OpenSSL is called.
bool usable() noexcept;

/// While one lives, OpenSSL may queue errors of ours; when it ends they are gone and those that the host had queued
/// before are still there. Every call of the module runs inside one (abi/guard.h).
class ErrorScope {
 public:
  ErrorScope() noexcept;
  ~ErrorScope();
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
};

/// OpenSSL's newest queued error as an Error with that code.
Error openssl_error(Code code, SourcePlace where = SourcePlace::here());

}  // namespace cardea::crypto
