// Certificate data objects (SP 800-73-4 part 1, appendix A, tables 10 and following).
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::card::piv {

struct CertificateObject {
  Bytes certificate;        ///< DER, uncompressed
  bool compressed = false;  ///< as it stands on the card
  Bytes mscuid;             ///< deprecated field 72
};

/// Reads the content; not_found when there is no certificate in it, data_invalid when it is damaged, is no certificate,
/// or would be longer than 64 KiB uncompressed.
Result<CertificateObject> parse_certificate_object(ByteView content);

/// The content for a certificate.
Result<Bytes> encode_certificate_object(ByteView certificate, bool compressed);

}  // namespace cardea::card::piv
