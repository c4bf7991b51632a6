#include "crypto/certificate.h"

#include "crypto/key_der.h"

namespace cardea::crypto {
namespace {

constexpr Byte explicit_version = 0xa0;

Error malformed() {
  return error(Code::data_invalid, "this is no X.509 certificate");
}

}  // namespace

Result<CertificateParts> certificate_parts(ByteView der) {
  DerReader outer(der);
  const auto certificate = outer.take(der_sequence);
  if (!certificate || !outer.at_end()) return malformed();
  DerReader signed_part(*certificate);
  const auto content = signed_part.take(der_sequence);
  if (!content) return malformed();
  // Signature algorithm and signature must be there, so that a certificate that was cut off is not taken for one.
  if (!signed_part.take(der_sequence) || !signed_part.take(der_bit_string) || !signed_part.at_end()) return malformed();
  DerReader fields(*content);
  if (fields.next_tag() == explicit_version && !fields.take(explicit_version)) return malformed();
  const auto serial = fields.take_whole(der_integer_tag);
  const bool has_algorithm = serial && fields.take(der_sequence);
  const auto issuer = fields.take_whole(der_sequence);
  const bool has_validity = issuer && fields.take(der_sequence);
  const auto subject = fields.take_whole(der_sequence);
  const auto key_info = fields.take_whole(der_sequence);
  if (!has_algorithm || !has_validity || !subject || !key_info) return malformed();
  return CertificateParts{*serial, *issuer, *subject, *key_info};
}

}  // namespace cardea::crypto
