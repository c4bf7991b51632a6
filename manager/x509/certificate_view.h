// Certificates read for comparing and for issuing under them: names, times and extensions as views.
#pragma once

#include <chrono>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "x509/asn1.h"

namespace cardea::x509 {

/// Views into a certificate's DER (RFC 5280, 4.1).
struct CertificateView {
  ByteView serial;    ///< big-endian without leading zeros
  ByteView issuer;    ///< Name, the whole element
  ByteView subject;   ///< Name, the whole element
  ByteView key_info;  ///< SubjectPublicKeyInfo, the whole element
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  std::vector<Extension> extensions;
};

/// data_invalid when it is no certificate of version 3, is cut off, or something follows it. The signature is not
/// looked at.
Result<CertificateView> view_certificate(ByteView der);

/// The bits of a SubjectPublicKeyInfo's key, which key identifiers are made of; empty when malformed.
ByteView key_bits(ByteView key_info);

}  // namespace cardea::x509
