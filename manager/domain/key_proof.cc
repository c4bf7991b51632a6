#include "domain/key_proof.h"

#include <fmt/format.h>

#include <array>

#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"

namespace cardea::manager {

namespace {

struct Mechanism {
  std::string_view word;
  crypto::KeyFamily family;
  Hash hash;
  bool pss;
};
constexpr std::array mechanisms = {
    Mechanism{"rsa-pkcs1-sha256", crypto::KeyFamily::rsa, Hash::sha256, false},
    Mechanism{"rsa-pkcs1-sha384", crypto::KeyFamily::rsa, Hash::sha384, false},
    Mechanism{"rsa-pkcs1-sha512", crypto::KeyFamily::rsa, Hash::sha512, false},
    Mechanism{"rsa-pss-sha256", crypto::KeyFamily::rsa, Hash::sha256, true},
    Mechanism{"rsa-pss-sha384", crypto::KeyFamily::rsa, Hash::sha384, true},
    Mechanism{"rsa-pss-sha512", crypto::KeyFamily::rsa, Hash::sha512, true},
    Mechanism{"ecdsa-sha256", crypto::KeyFamily::ec, Hash::sha256, false},
    Mechanism{"ecdsa-sha384", crypto::KeyFamily::ec, Hash::sha384, false},
    Mechanism{"ecdsa-sha512", crypto::KeyFamily::ec, Hash::sha512, false},
    Mechanism{"ed25519", crypto::KeyFamily::edwards, Hash::none, false},
};

// r || s, each as long as the order of the curve, from the DER sequence.
Result<Bytes> flat_ecdsa(ByteView signature, std::size_t half) {
  crypto::DerReader outer(signature);
  const auto content = outer.take(crypto::der_sequence);
  if (!content || !outer.at_end()) return error(Code::signature_invalid, "this is no ECDSA signature");
  crypto::DerReader inner(*content);
  Bytes out(2 * half);
  for (std::size_t part = 0; part < 2; ++part) {
    const auto number = inner.take_unsigned();
    if (!number || number->size() > half) return error(Code::signature_invalid, "this is no ECDSA signature");
    std::copy(number->begin(), number->end(),
              out.begin() + static_cast<std::ptrdiff_t>((part + 1) * half - number->size()));
  }
  if (!inner.at_end()) return error(Code::signature_invalid, "this is no ECDSA signature");
  return out;
}

}  // namespace

// DigestInfo with the hash's identifier 2.16.840.1.101.3.4.2.n (RFC 8017, A.2.4).
Bytes digest_info_of(Hash hash, ByteView digest) {
  const Bytes oid = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, crypto::hash_nist_arc(hash)};
  const Bytes identifier = crypto::der<Bytes>(crypto::der_oid, {oid});
  const Bytes null = crypto::der<Bytes>(crypto::der_null, {});
  const Bytes algorithm = crypto::der<Bytes>(crypto::der_sequence, {identifier, null});
  const Bytes octets = crypto::der<Bytes>(crypto::der_octet_string, {digest});
  return crypto::der<Bytes>(crypto::der_sequence, {algorithm, octets});
}

Status check_key_proof(ByteView spki, std::string_view mechanism, ByteView message, ByteView signature) {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(spki));
  for (const auto& row : mechanisms) {
    if (row.word != mechanism) continue;
    if (key->facts().family != row.family)
      return error(Code::signature_invalid, fmt::format("a key of this type does not sign with {}", mechanism));
    if (row.hash == Hash::none) return key->verify_message({}, message, signature);
    CARDEA_ASSIGN(const Bytes digest, crypto::digest(row.hash, message));
    if (row.family == crypto::KeyFamily::ec) {
      CARDEA_ASSIGN(const Bytes flat, flat_ecdsa(signature, (key->size() + 7) / 8));
      return key->ecdsa_verify(digest, flat);
    }
    if (row.pss) return key->verify_pss(row.hash, row.hash, digest.size(), digest, signature);
    return key->verify_pkcs1(digest_info_of(row.hash, digest), signature);
  }
  return error(Code::arguments_bad, fmt::format("'{}' is no mechanism that proofs are made with", mechanism));
}

Result<Bytes> key_of_request(ByteView csr) {
  crypto::DerReader outer(csr);
  const auto request = outer.take(crypto::der_sequence);
  if (request && outer.at_end()) {
    crypto::DerReader parts(*request);
    if (const auto info = parts.take(crypto::der_sequence)) {
      crypto::DerReader fields(*info);
      const auto version = fields.take(crypto::der_integer_tag);
      const auto subject = fields.take(crypto::der_sequence);
      const auto key = fields.take_whole(crypto::der_sequence);
      if (version && subject && key) return to_bytes(*key);
    }
  }
  return error(Code::data_invalid, "this is no certificate request (PKCS#10)");
}

Result<std::string> key_algorithm_word(ByteView spki) {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(spki));
  if (key->facts().family == crypto::KeyFamily::rsa) return fmt::format("rsa:{}", key->size());
  if (key->facts().family == crypto::KeyFamily::ec) return fmt::format("ec:{}", key->facts().name);
  return std::string(key->facts().name);
}

}  // namespace cardea::manager
