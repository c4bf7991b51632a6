#include "x509/signature.h"

#include <array>
#include <optional>

#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "x509/asn1.h"

namespace cardea::x509 {
namespace {

using crypto::DerReader;
using crypto::KeyFamily;

// AlgorithmIdentifier's identifiers, whole elements.
constexpr std::array<Byte, 11> rsa_arc{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0};
constexpr std::array<Byte, 10> ecdsa_sha2_arc{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0};
constexpr std::array<Byte, 11> nist_hash_arc{0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0};
constexpr Byte pss_number = 10;
constexpr Byte mgf1_number = 8;

// The last number of an identifier under an arc of single-byte numbers; empty when it is elsewhere.
std::optional<Byte> number_under(ByteView oid, ByteView arc) {
  if (oid.size() != arc.size() || !same_bytes(oid.first(oid.size() - 1), arc.first(arc.size() - 1))) return {};
  return oid.back();
}

// 1, 2, 3 of NIST's hashes and 2, 3, 4 of ecdsa-with-SHA2 and 11, 12, 13 of RSA stand for the same three.
Hash sha2(int number) {
  constexpr std::array hashes{Hash::sha256, Hash::sha384, Hash::sha512};
  return number >= 0 && number < 3 ? hashes[static_cast<std::size_t>(number)] : Hash::none;
}

struct Identifier {
  ByteView oid;
  ByteView parameters;
};

std::optional<Identifier> identifier(ByteView element) {
  DerReader outer(element);
  const auto body = outer.take(tag_sequence);
  if (!body || !outer.at_end()) return {};
  DerReader reader(*body);
  const auto oid = reader.take_whole(tag_oid);
  if (!oid) return {};
  return Identifier{*oid, body->subspan(oid->size())};
}

// RFC 4055, 5 wants NULL with RSA and RFC 5758, 3.2 nothing with ECDSA; either is met with both.
bool null_or_absent(ByteView parameters) {
  return parameters.empty() || same_bytes(parameters, element(tag_null, {}));
}

Error unknown() {
  return error(Code::mechanism_invalid, "the signature's algorithm is not known, too weak, or not the key's");
}

struct PssParameters {
  Hash hash = Hash::none;
  std::uint64_t salt_length = 20;
};

Hash hash_of(ByteView element) {
  const auto found = identifier(element);
  const auto number = found ? number_under(found->oid, nist_hash_arc) : std::nullopt;
  return number ? sha2(*number - 1) : Hash::none;
}

// RSASSA-PSS-params (RFC 4055, 3.1). Its defaults name SHA-1, so every field but the trailer must be there.
std::optional<PssParameters> pss_parameters(ByteView element) {
  DerReader outer(element);
  const auto body = outer.take(tag_sequence);
  if (!body || !outer.at_end()) return {};
  DerReader reader(*body);
  const auto hash = reader.take(context_tag(0));
  const auto mask = reader.take(context_tag(1));
  const auto salt = reader.take(context_tag(2));
  if (!hash || !mask || !salt) return {};
  // The trailer field's one value, 1, may be written down.
  const auto trailer = reader.at_end() ? std::nullopt : reader.take(context_tag(3));
  if (!reader.at_end() || (trailer && !same_bytes(*trailer, integer(std::uint64_t{1})))) return {};
  PssParameters parameters{hash_of(*hash)};
  const auto generator = identifier(*mask);
  const bool same_mask = generator && number_under(generator->oid, rsa_arc) == mgf1_number &&
                         hash_of(generator->parameters) == parameters.hash;
  DerReader number(*salt);
  const auto length = number.take_unsigned();
  if (!same_mask || parameters.hash == Hash::none || !length || length->size() > 1 || !number.at_end()) return {};
  parameters.salt_length = length->empty() ? 0 : length->front();
  return parameters;
}

// DigestInfo (RFC 8017, 9.2).
Bytes digest_info(Hash hash, ByteView digest) {
  Bytes oid = to_bytes(nist_hash_arc);
  oid.back() = crypto::hash_nist_arc(hash);
  return sequence({sequence({oid, element(tag_null, {})}), octet_string(digest)});
}

Status verify_rsa(const Identifier& algorithm, Byte number, const crypto::AsymmetricKey& key, ByteView message,
                  ByteView signature) {
  if (number == pss_number) {
    const auto pss = pss_parameters(algorithm.parameters);
    if (!pss) return unknown();
    CARDEA_ASSIGN(const Bytes digest, crypto::digest(pss->hash, message));
    return key.verify_pss(pss->hash, pss->hash, pss->salt_length, digest, signature);
  }
  const Hash hash = sha2(number - 11);
  if (hash == Hash::none || !null_or_absent(algorithm.parameters)) return unknown();
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(hash, message));
  return key.verify_pkcs1(digest_info(hash, digest), signature);
}

Status verify_ecdsa(Hash hash, const crypto::AsymmetricKey& key, ByteView message, ByteView signature) {
  const std::size_t half = (key.facts().size + 7) / 8;
  DerReader outer(signature);
  const auto body = outer.take(tag_sequence);
  if (!body || !outer.at_end()) return Code::signature_invalid;
  DerReader reader(*body);
  const auto r = reader.take_unsigned();
  const auto s = reader.take_unsigned();
  if (!r || !s || !reader.at_end() || r->size() > half || s->size() > half) return Code::signature_invalid;
  Bytes raw(2 * half);
  std::copy(r->begin(), r->end(), raw.begin() + static_cast<std::ptrdiff_t>(half - r->size()));
  std::copy(s->begin(), s->end(), raw.end() - static_cast<std::ptrdiff_t>(s->size()));
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(hash, message));
  return key.ecdsa_verify(digest, raw);
}

}  // namespace

Status verify_signature(ByteView algorithm, const crypto::AsymmetricKey& key, ByteView message, ByteView signature) {
  const auto parsed = identifier(algorithm);
  if (!parsed) return error(Code::data_invalid, "the signature's algorithm is malformed");
  switch (key.facts().family) {
    case KeyFamily::rsa: {
      const auto number = number_under(parsed->oid, rsa_arc);
      return number ? verify_rsa(*parsed, *number, key, message, signature) : Status(unknown());
    }
    case KeyFamily::ec: {
      const auto number = number_under(parsed->oid, ecdsa_sha2_arc);
      const Hash hash = number ? sha2(*number - 2) : Hash::none;
      if (hash == Hash::none || !null_or_absent(parsed->parameters)) return unknown();
      return verify_ecdsa(hash, key, message, signature);
    }
    case KeyFamily::edwards:
    case KeyFamily::ml_dsa:
    case KeyFamily::slh_dsa:
      // The key's own identifier is the signature's.
      if (!same_bytes(parsed->oid, view_of(key.facts().oid)) || !parsed->parameters.empty()) return unknown();
      return key.verify_message({}, message, signature);
    default:
      return unknown();
  }
}

}  // namespace cardea::x509
