// Certificate requests from outside (PKCS#10, RFC 2986), read without trust.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/asymmetric_key.h"
#include "x509/asn1.h"

namespace cardea::x509 {

/// A request whose signature was checked. All views are into the DER that was read.
struct CertificateRequest {
  ByteView subject;                   ///< Name, the whole element
  ByteView key_info;                  ///< SubjectPublicKeyInfo, the whole element
  std::vector<Extension> extensions;  ///< of extensionRequest (RFC 2985, 5.4.2), Microsoft's form of it too
  crypto::AsymmetricKeyPtr key;
};

/// Reads a request and checks that its sender has the private key. data_invalid in words for what is no request or has
/// something behind it; signature_invalid, mechanism_invalid (verify_signature), public_key_invalid,
/// curve_not_supported; key_size_range for RSA keys below 2,048 or above 8,192 bits.
Result<CertificateRequest> read_request(ByteView der);

/// The SubjectPublicKeyInfo of a request whose signature was checked before; data_invalid.
Result<ByteView> request_key_info(ByteView der);

}  // namespace cardea::x509
