// What the command line needs to know of an X.509 certificate (RFC 5280).
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::x509 {

struct Certificate {
  Bytes der;
  std::string subject;     ///< RFC 4514
  std::string issuer;      ///< RFC 4514
  std::string serial;      ///< hexadecimal
  std::string not_before;  ///< YYYY-MM-DD
  std::string not_after;   ///< YYYY-MM-DD
  Bytes subject_der;       ///< CKA_SUBJECT
  Bytes issuer_der;        ///< CKA_ISSUER
  Bytes serial_der;        ///< CKA_SERIAL_NUMBER: the INTEGER, encoded
  Bytes key_info;          ///< SubjectPublicKeyInfo
  bool is_authority = false;
};

/// Reads DER; data_invalid when it is no certificate or something follows it.
Result<Certificate> read_certificate(ByteView der);

}  // namespace cardea::x509
