#include "piv/algorithms.h"

#include <algorithm>
#include <array>

#include "base/tlv.h"
#include "crypto/asymmetric_key.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"

namespace cardea::card::piv {
namespace {

using crypto::KeyAlgorithm;

constexpr std::array<KeyKind, 8> kinds{{{algorithm::rsa_1024, KeyAlgorithm::rsa, 1024},
                                        {algorithm::rsa_2048, KeyAlgorithm::rsa, 2048},
                                        {algorithm::rsa_3072, KeyAlgorithm::rsa, 3072},
                                        {algorithm::rsa_4096, KeyAlgorithm::rsa, 4096},
                                        {algorithm::p256, KeyAlgorithm::p256, 0},
                                        {algorithm::p384, KeyAlgorithm::p384, 0},
                                        {algorithm::ed25519, KeyAlgorithm::ed25519, 0},
                                        {algorithm::x25519, KeyAlgorithm::x25519, 0}}};

constexpr std::uint32_t tag_modulus = 0x81;
constexpr std::uint32_t tag_exponent = 0x82;
constexpr std::uint32_t tag_point = 0x86;

Result<crypto::AsymmetricKeyPtr> read_rsa(ByteView fields) {
  CARDEA_ASSIGN(const ByteView modulus, require_tlv(fields, tag_modulus));
  CARDEA_ASSIGN(const ByteView exponent, require_tlv(fields, tag_exponent));
  crypto::RsaNumbers numbers;
  numbers.modulus = to_bytes(crypto::without_leading_zeros(modulus));
  numbers.public_exponent = to_bytes(crypto::without_leading_zeros(exponent));
  if (!crypto::check_rsa_public(numbers)) return Code::public_key_invalid;
  return crypto::AsymmetricKey::rsa(numbers);
}

}  // namespace

std::optional<KeyKind> kind_of_identifier(Byte identifier) noexcept {
  for (const KeyKind& kind : kinds) {
    if (kind.identifier == identifier) return kind;
  }
  return std::nullopt;
}

std::optional<KeyKind> kind_of_key(KeyAlgorithm algorithm, std::size_t bits) noexcept {
  for (const KeyKind& kind : kinds) {
    if (kind.algorithm == algorithm && (kind.bits == 0 || kind.bits == bits)) return kind;
  }
  return std::nullopt;
}

Result<KeyKind> kind_of_public_key(ByteView key_info) {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(key_info));
  const std::optional<KeyKind> kind = kind_of_key(key->algorithm(), key->size());
  if (!kind) return error(Code::mechanism_invalid, "PIV has no keys of this kind");
  return *kind;
}

Result<Bytes> read_public_key(const KeyKind& kind, ByteView fields) {
  if (kind.algorithm == KeyAlgorithm::rsa) {
    CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, read_rsa(fields));
    if (key->size() != kind.bits) return error(Code::public_key_invalid, "the card's key has another size");
    return crypto::subject_public_key_info(*key);
  }
  CARDEA_ASSIGN(const ByteView point, require_tlv(fields, tag_point));
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::AsymmetricKey::from_public(kind.algorithm, point));
  return crypto::subject_public_key_info(*key);
}

Result<std::size_t> raw_ecdsa_signature(ByteView der, std::size_t size, MutableBytes out) {
  crypto::DerReader outer(der);
  const auto content = outer.take(crypto::der_sequence);
  if (!content || !outer.at_end()) return error(Code::data_invalid, "the card's signature is not in DER");
  if (out.size() < 2 * size) return Code::buffer_too_small;
  std::fill_n(out.begin(), 2 * size, Byte{0});
  crypto::DerReader numbers(*content);
  for (const std::size_t end : {size, 2 * size}) {
    const auto number = numbers.take_unsigned();
    if (!number || number->size() > size) return error(Code::data_invalid, "the card's signature is damaged");
    std::copy(number->begin(), number->end(), out.begin() + static_cast<std::ptrdiff_t>(end - number->size()));
  }
  if (!numbers.at_end()) return error(Code::data_invalid, "the card's signature is damaged");
  return 2 * size;
}

}  // namespace cardea::card::piv
