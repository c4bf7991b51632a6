// Signing and verifying with a MAC context, shared by HMAC and CMAC.
#pragma once

#include "crypto/symmetric_key.h"
#include "mechanism/mechanism.h"

namespace cardea {

/// An operation that answers the first `size` bytes of the MAC. `size` is at most context.size().
SignPtr sign_with_mac(crypto::MacContext context, std::size_t size);

/// The inverse: compares in constant time. signature_length, signature_invalid.
VerifyPtr verify_with_mac(crypto::MacContext context, std::size_t size);

/// The parameter of a *_GENERAL mechanism, the wanted MAC length: 1 to `full` bytes, else mechanism_param_invalid.
Result<std::size_t> general_mac_size(Parameter parameter, std::size_t full);

}  // namespace cardea
