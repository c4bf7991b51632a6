// The X.509 certificates that a card issues itself: attestation (RFC 5280).
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "card/card_key.h"

namespace cardea::vcard {

struct CertificateExtension {
  Bytes identifier;  ///< object identifier in DER, without tag and length
  bool critical = false;
  Bytes value;  ///< what the OCTET STRING holds
};

/// A distinguished name in DER with a common name alone.
Bytes common_name(std::string_view name);

/// A certificate over `subject_key`, valid from 2020 without end, with a random serial number, signed by `issuer_key`
/// with SHA-256 (Ed25519 by itself). Names are in DER. Codes: key_type_inconsistent (X25519 signs nothing),
/// device_error.
Result<Bytes> issue_certificate(const CardKey& issuer_key, ByteView issuer, ByteView subject, ByteView subject_key,
                                const std::vector<CertificateExtension>& extensions);

/// The subject's name in DER of a certificate. Codes: data_invalid.
Result<Bytes> certificate_subject(ByteView certificate);

/// basicConstraints of a certificate authority, or of none (RFC 5280, 4.2.1.9).
CertificateExtension basic_constraints(bool authority);

}  // namespace cardea::vcard
