#include "embedded/algorithms.h"

#include <array>

#include "crypto/digest.h"
#include "crypto/key_algorithm.h"
#include "x509/asn1.h"
#include "x509/certificate_view.h"

namespace cardea::ca {
namespace {

using manager::SignatureScheme;
using x509::element;
using x509::sequence;

constexpr std::size_t key_identifier_size = 20;

// The last byte varies within each arc.
Bytes rsa_oid(Byte number) {
  return {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, number};
}
Bytes ecdsa_sha2_oid(Byte number) {
  return {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, number};
}
Bytes nist_hash_oid(Byte number) {
  return {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, number};
}
// The key's own identifier is the signature's (RFC 9881, 2; RFC 9909, 3); schemes and algorithms are in one order.
Bytes post_quantum_oid(SignatureScheme scheme) {
  const auto first = static_cast<int>(crypto::KeyAlgorithm::ml_dsa_44) - static_cast<int>(SignatureScheme::ml_dsa_44);
  const auto algorithm = static_cast<crypto::KeyAlgorithm>(first + static_cast<int>(scheme));
  return to_bytes(view_of(crypto::facts_of(algorithm).oid));
}

// RSASSA-PSS-params (RFC 4055, 3.1) with `index` 0, 1, 2 for SHA-256, SHA-384, SHA-512.
Bytes pss_algorithm(Byte index) {
  const Bytes null = element(x509::tag_null, {});
  const Bytes hash = sequence({nist_hash_oid(static_cast<Byte>(1 + index)), null});
  const Bytes mask = sequence({rsa_oid(8), hash});
  const Bytes salt = x509::integer(std::uint64_t{32} + 16 * std::uint64_t{index});
  const Bytes parameters = sequence({element(x509::context_tag(0), {hash}), element(x509::context_tag(1), {mask}),
                                     element(x509::context_tag(2), {salt})});
  return sequence({rsa_oid(10), parameters});
}

}  // namespace

Bytes signature_algorithm(SignatureScheme scheme) {
  const auto number = static_cast<Byte>(scheme);
  const auto index = static_cast<Byte>(number % 3);
  if (scheme <= SignatureScheme::rsa_pkcs1_sha512) {
    return sequence({rsa_oid(static_cast<Byte>(11 + index)), element(x509::tag_null, {})});
  }
  if (scheme <= SignatureScheme::rsa_pss_sha512) return pss_algorithm(index);
  if (scheme <= SignatureScheme::ecdsa_sha512) return sequence({ecdsa_sha2_oid(static_cast<Byte>(2 + index))});
  return sequence({post_quantum_oid(scheme)});
}

Result<Bytes> key_identifier(ByteView key_info) {
  const ByteView bits = x509::key_bits(key_info);
  if (bits.empty()) return error(Code::public_key_invalid, "the public key is malformed");
  CARDEA_ASSIGN(Bytes digest, crypto::digest(Hash::sha256, bits));
  digest.resize(key_identifier_size);
  return digest;
}

Result<Bytes> signed_structure(manager::KeyToken& keys, const std::string& key, SignatureScheme scheme,
                               ByteView to_be_signed) {
  CARDEA_ASSIGN(const Bytes signature, keys.sign(key, scheme, to_be_signed));
  return sequence({to_be_signed, signature_algorithm(scheme), x509::bit_string(signature)});
}

}  // namespace cardea::ca
