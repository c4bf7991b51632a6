// Signing and verifying with a MAC, shared by HMAC, CMAC, GMAC and the MAC of TLS.
#pragma once

#include "crypto/symmetric_key.h"
#include "mechanism/mechanism.h"

namespace cardea {

/// An operation that answers the first `size` bytes of the MAC. `size` is at most context.size().
SignPtr sign_with_mac(crypto::MacContext context, std::size_t size);

/// Verifies by signing again and comparing in constant time; for MACs of at most 64 bytes. signature_length,
/// signature_invalid.
VerifyPtr verify_by_signing(SignPtr signing);

/// The parameter of a *_GENERAL mechanism, the wanted MAC length: 1 to `full` bytes, else mechanism_param_invalid.
Result<std::size_t> general_mac_size(Parameter parameter, std::size_t full);

}  // namespace cardea
