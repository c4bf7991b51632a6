#include "x509/request_reader.h"

#include <array>

#include "crypto/key_encoding.h"
#include "crypto/rsa_components.h"
#include "x509/signature.h"

namespace cardea::x509 {
namespace {

using crypto::DerReader;

// 1.2.840.113549.1.9.14 and 1.3.6.1.4.1.311.2.1.14, whole elements.
constexpr std::array<Byte, 11> extension_request{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
constexpr std::array<Byte, 12> microsoft_extensions{0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04,
                                                    0x01, 0x82, 0x37, 0x02, 0x01, 0x0e};
constexpr std::size_t smallest_rsa = 2048;
constexpr std::size_t largest_rsa = 8192;
constexpr std::size_t shortest_exponent = 17;  // bits

Error malformed(std::string_view what) {
  return error(Code::data_invalid, "the certificate request " + std::string(what));
}

Status read_attributes(ByteView content, std::vector<Extension>& extensions) {
  for (DerReader list(content); !list.at_end();) {
    const auto body = list.take(tag_sequence);
    DerReader attribute(body.value_or(ByteView()));
    const auto type = attribute.take_whole(tag_oid);
    const auto values = attribute.take(tag_set);
    if (!type || !values || !attribute.at_end()) return malformed("has a malformed attribute");
    if (!same_bytes(*type, extension_request) && !same_bytes(*type, microsoft_extensions)) continue;
    DerReader set(*values);
    const auto requested = set.take(tag_sequence);
    if (!requested || !set.at_end()) return malformed("has malformed extensions");
    CARDEA_ASSIGN(const std::vector<Extension> found, read_extensions(*requested));
    for (const Extension& extension : found) {
      if (find_extension(extensions, extension.oid) != nullptr) return malformed("asks for an extension twice");
      extensions.push_back(extension);
    }
  }
  return {};
}

// CertificationRequestInfo (RFC 2986, 4.1).
Status read_info(ByteView info, CertificateRequest& request) {
  DerReader reader(info);
  const auto version = reader.take_unsigned();
  const auto subject = reader.take_whole(tag_sequence);
  const auto key_info = reader.take_whole(tag_sequence);
  if (!version || !version->empty() || !subject || !key_info) return malformed("has no version, subject and key");
  request.subject = *subject;
  request.key_info = *key_info;
  if (reader.at_end()) return {};  // some tools leave the empty attributes out
  const auto attributes = reader.take(context_tag(0));
  if (!attributes || !reader.at_end()) return malformed("has something where its attributes should be");
  return read_attributes(*attributes, request.extensions);
}

// With the exponent 1 anybody could sign for the key, and small ones give away what careless programs pad.
Status check_rsa(const crypto::AsymmetricKey& key) {
  if (key.facts().family != crypto::KeyFamily::rsa) return {};
  if (key.size() < smallest_rsa || key.size() > largest_rsa)
    return error(Code::key_size_range, "an RSA key must have 2,048 to 8,192 bits");
  CARDEA_ASSIGN(const crypto::RsaNumbers numbers, key.rsa_public_numbers());
  if (crypto::bit_length(numbers.public_exponent) >= shortest_exponent && crypto::check_rsa_public(numbers)) return {};
  return error(Code::public_key_invalid,
               "an RSA key's modulus must be odd, and its exponent odd and at least 65,537 (FIPS 186-5, A.1.1)");
}

/// The three parts of CertificationRequest (RFC 2986, 4.2).
struct SignedRequest {
  ByteView to_be_signed;  ///< the whole element
  ByteView info;          ///< its content
  ByteView algorithm;     ///< the whole element
  ByteView signature;
};

Result<SignedRequest> split_request(ByteView der) {
  DerReader outer(der);
  const auto body = outer.take(tag_sequence);
  if (!body || !outer.at_end()) return malformed("is none, is cut off, or something follows it");
  DerReader reader(*body);
  DerReader again(*body);
  const auto whole = reader.take_whole(tag_sequence);
  const auto info = again.take(tag_sequence);
  const auto algorithm = reader.take_whole(tag_sequence);
  const auto signature = reader.take(tag_bit_string);
  if (!whole || !info || !algorithm || !signature || !reader.at_end() || signature->empty() ||
      signature->front() != 0) {
    return malformed("has no signature");
  }
  return SignedRequest{*whole, *info, *algorithm, signature->subspan(1)};
}

}  // namespace

Result<CertificateRequest> read_request(ByteView der) {
  CARDEA_ASSIGN(const SignedRequest parts, split_request(der));
  CertificateRequest request;
  CARDEA_TRY(read_info(parts.info, request));
  CARDEA_ASSIGN(request.key, crypto::from_subject_public_key_info(request.key_info));
  CARDEA_TRY(check_rsa(*request.key));
  CARDEA_TRY(verify_signature(parts.algorithm, *request.key, parts.to_be_signed, parts.signature));
  return request;
}

Result<ByteView> request_key_info(ByteView der) {
  CARDEA_ASSIGN(const SignedRequest parts, split_request(der));
  CertificateRequest request;
  CARDEA_TRY(read_info(parts.info, request));
  return request.key_info;
}

}  // namespace cardea::x509
