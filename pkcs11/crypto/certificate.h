// The little of an X.509 certificate (RFC 5280, 4.1) that tokens need, read without OpenSSL's parser.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::crypto {

/// Views into a certificate's DER; each is a whole element.
struct CertificateParts {
  ByteView serial;    ///< INTEGER: CKA_SERIAL_NUMBER
  ByteView issuer;    ///< Name: CKA_ISSUER
  ByteView subject;   ///< Name: CKA_SUBJECT
  ByteView key_info;  ///< SubjectPublicKeyInfo: CKA_PUBLIC_KEY_INFO
};

/// data_invalid when it is no certificate, is cut off, or something follows it.
Result<CertificateParts> certificate_parts(ByteView der);

}  // namespace cardea::crypto
