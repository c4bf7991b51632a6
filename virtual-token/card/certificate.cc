#include "card/certificate.h"

#include "card/digest_info.h"
#include "card/random.h"
#include "card/tlv.h"

namespace cardea::vcard {

namespace {

constexpr Byte sha256_with_rsa[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B};  // RFC 8017, A.2.4
constexpr Byte ecdsa_with_sha256[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};      // RFC 5758, 3.2
constexpr Byte ed25519[] = {0x2B, 0x65, 0x70};                                              // RFC 8410, 3
constexpr Byte common_name_type[] = {0x55, 0x04, 0x03};
constexpr Byte basic_constraints_type[] = {0x55, 0x1D, 0x13};
constexpr Byte der_true[] = {0xFF};

void append(Bytes& out, ByteView part) {
  out.insert(out.end(), part.begin(), part.end());
}

Bytes signature_algorithm(KeyType type) {
  if (type == KeyType::ed25519) return make_tlv(0x30, make_tlv(0x06, ed25519));
  if (!is_rsa(type)) return make_tlv(0x30, make_tlv(0x06, ecdsa_with_sha256));
  Bytes content = make_tlv(0x06, sha256_with_rsa);
  append_tlv(content, 0x05, {});
  return make_tlv(0x30, content);
}

Bytes serial_number() {
  Bytes number = random_bytes(16);
  number[0] = static_cast<Byte>((number[0] & 0x7F) | 0x40);  // positive, and no leading zero
  return make_tlv(0x02, number);
}

// The end is RFC 5280's "no well-defined expiration" (4.1.2.5).
Bytes validity() {
  Bytes content = make_tlv(0x17, view_of("200101000000Z"));
  append_tlv(content, 0x18, view_of("99991231235959Z"));
  return make_tlv(0x30, content);
}

Bytes encoded_extensions(const std::vector<CertificateExtension>& extensions) {
  Bytes list;
  for (const CertificateExtension& extension : extensions) {
    Bytes content = make_tlv(0x06, extension.identifier);
    if (extension.critical) append_tlv(content, 0x01, der_true);
    append_tlv(content, 0x04, extension.value);
    append_tlv(list, 0x30, content);
  }
  return make_tlv(0xA3, make_tlv(0x30, list));
}

Result<Bytes> sign(const CardKey& key, ByteView content) {
  if (key.type() == KeyType::ed25519) return key.sign_message(content);
  CARDEA_ASSIGN(const Bytes digest, hash(HashType::sha256, content));
  if (!is_rsa(key.type())) return key.sign_digest(digest);
  CARDEA_ASSIGN(const Bytes block,
                pkcs1_signature_block(digest_info(HashType::sha256, digest), field_size(key.type())));
  return key.raw_rsa(block);
}

}  // namespace

Bytes common_name(std::string_view name) {
  Bytes attribute = make_tlv(0x06, common_name_type);
  append_tlv(attribute, 0x0C, view_of(name));
  return make_tlv(0x30, make_tlv(0x31, make_tlv(0x30, attribute)));
}

CertificateExtension basic_constraints(bool authority) {
  return {to_bytes(basic_constraints_type), true, make_tlv(0x30, authority ? make_tlv(0x01, der_true) : Bytes())};
}

Result<Bytes> issue_certificate(const CardKey& issuer_key, ByteView issuer, ByteView subject, ByteView subject_key,
                                const std::vector<CertificateExtension>& extensions) {
  constexpr Byte version3[] = {2};
  Bytes content = make_tlv(0xA0, make_tlv(0x02, version3));
  append(content, serial_number());
  append(content, signature_algorithm(issuer_key.type()));
  append(content, issuer);
  append(content, validity());
  append(content, subject);
  append(content, subject_key);
  append(content, encoded_extensions(extensions));
  const Bytes to_be_signed = make_tlv(0x30, content);
  CARDEA_ASSIGN(Bytes signature, sign(issuer_key, to_be_signed));
  signature.insert(signature.begin(), 0);  // no unused bits in the BIT STRING
  Bytes certificate = to_be_signed;
  append(certificate, signature_algorithm(issuer_key.type()));
  append_tlv(certificate, 0x03, signature);
  return make_tlv(0x30, certificate);
}

// TBSCertificate: version [0], serial number, algorithm, issuer, validity, subject (RFC 5280, 4.1).
Result<Bytes> certificate_subject(ByteView certificate) {
  const auto content = find_tlv(certificate, {0x30, 0x30});
  if (!content) return Code::data_invalid;
  TlvReader reader(*content);
  auto field = reader.next();
  if (field && field->tag == 0xA0) field = reader.next();
  for (int skipped = 0; skipped < 4 && field; ++skipped) field = reader.next();
  if (!field || field->tag != 0x30) return Code::data_invalid;
  return make_tlv(0x30, field->value);
}

}  // namespace cardea::vcard
