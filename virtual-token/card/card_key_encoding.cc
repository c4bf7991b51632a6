// CardKey to and from the encodings of other programs.
#include <mbedtls/pk.h>

#include <algorithm>
#include <initializer_list>

#include "card/card_key.h"
#include "card/mbedtls_handles.h"
#include "card/pem.h"
#include "card/tlv.h"

namespace cardea::vcard {

namespace {

// Object identifiers in DER, without tag and length (RFC 3279, 2.3.1; RFC 5480, 2.1.1; RFC 8410, 3).
constexpr Byte rsa_encryption[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01};
constexpr Byte ec_public_key[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
constexpr Byte prime256v1[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr Byte secp384r1[] = {0x2B, 0x81, 0x04, 0x00, 0x22};
constexpr Byte x25519[] = {0x2B, 0x65, 0x6E};
constexpr Byte ed25519[] = {0x2B, 0x65, 0x70};

ByteView curve_identifier(KeyType type) {
  return type == KeyType::p256 ? ByteView(prime256v1) : ByteView(secp384r1);
}

Bytes joined(std::initializer_list<ByteView> parts) {
  Bytes out;
  for (const ByteView part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Bytes unsigned_integer(Bytes number) {
  if (number.empty() || number.front() >= 0x80) number.insert(number.begin(), 0);
  return make_tlv(0x02, number);
}

Bytes algorithm_identifier(KeyType type) {
  if (is_rsa(type)) return make_tlv(0x30, joined({make_tlv(0x06, rsa_encryption), make_tlv(0x05, {})}));
  if (type == KeyType::x25519) return make_tlv(0x30, make_tlv(0x06, x25519));
  if (type == KeyType::ed25519) return make_tlv(0x30, make_tlv(0x06, ed25519));
  return make_tlv(0x30, joined({make_tlv(0x06, ec_public_key), make_tlv(0x06, curve_identifier(type))}));
}

std::optional<KeyType> rsa_type(std::size_t modulus_size) {
  for (const KeyType type : {KeyType::rsa1024, KeyType::rsa2048, KeyType::rsa3072, KeyType::rsa4096}) {
    if (field_size(type) == modulus_size) return type;
  }
  return std::nullopt;
}

Result<CardKey> from_parsed_rsa(mbedtls_pk_context* pk) {
  mbedtls_rsa_context* rsa = mbedtls_pk_rsa(*pk);
  const auto type = rsa_type(mbedtls_rsa_get_len(rsa));
  if (!type) return Code::key_size_range;
  const std::size_t half = field_size(*type) / 2;
  SecretBytes primes(2 * half);
  Byte e[4] = {};
  if (mbedtls_rsa_export_raw(rsa, nullptr, 0, primes.data(), half, primes.data() + half, half, nullptr, 0, e,
                             sizeof e) != 0) {
    return Code::data_invalid;
  }
  const std::uint32_t exponent = static_cast<std::uint32_t>(e[0]) << 24 | static_cast<std::uint32_t>(e[1]) << 16 |
                                 static_cast<std::uint32_t>(e[2]) << 8 | e[3];
  return CardKey::from_primes(*type, primes.view().first(half), primes.view().last(half), exponent);
}

// mbedTLS re-encodes the key as SEC 1 (RFC 5915, 3): SEQUENCE { 1, OCTET STRING scalar, [0] curve, [1] point }.
Result<CardKey> from_parsed_curve(mbedtls_pk_context* pk) {
  SecretBytes der(512);
  const int size = mbedtls_pk_write_key_der(pk, der.data(), der.size());
  if (size <= 0) return Code::data_invalid;
  // The encoder writes backwards from the end of its buffer.
  const ByteView encoded = der.view().last(static_cast<std::size_t>(size));
  const auto scalar = find_tlv(encoded, {0x30, 0x04});
  const auto curve = find_tlv(encoded, {0x30, 0xA0, 0x06});
  if (!scalar || !curve) return Code::data_invalid;
  for (const KeyType type : {KeyType::p256, KeyType::p384}) {
    if (!same_bytes(*curve, curve_identifier(type))) continue;
    return CardKey::from_scalar(type, *scalar);
  }
  return Code::key_size_range;
}

// PKCS#8 of the curves of RFC 8410, 7, which mbedTLS 2.28 does not read. Nothing for other keys.
std::optional<Result<CardKey>> from_rfc8410(ByteView der) {
  const auto algorithm = find_tlv(der, {0x30, 0x30, 0x06});
  const auto scalar = find_tlv(der, {0x30, 0x04, 0x04});
  if (!algorithm || !scalar) return std::nullopt;
  if (same_bytes(*algorithm, x25519)) return CardKey::from_scalar(KeyType::x25519, *scalar);
  if (same_bytes(*algorithm, ed25519)) return CardKey::from_scalar(KeyType::ed25519, *scalar);
  return std::nullopt;
}

}  // namespace

Bytes CardKey::public_key_der() const {
  Bytes key;
  if (is_rsa(type())) {
    key = make_tlv(0x30, joined({unsigned_integer(modulus()), unsigned_integer(exponent())}));
  } else {
    key = point();
  }
  key.insert(key.begin(), 0);  // a BIT STRING begins with its count of unused bits
  return make_tlv(0x30, joined({algorithm_identifier(type()), make_tlv(0x03, key)}));
}

Result<CardKey> CardKey::from_file(ByteView content) {
  const auto decoded = from_pem(content, "PRIVATE KEY");
  if (auto key = from_rfc8410(decoded ? decoded->view() : content)) return std::move(*key);
  // The parser tells PEM from DER by a terminating zero within the length.
  SecretBytes text(content.size() + 1);
  std::copy(content.begin(), content.end(), text.data());
  PkContext pk;
  if (pk.parse_private(text.view()) != 0 && pk.parse_private(content) != 0) return Code::data_invalid;
  switch (mbedtls_pk_get_type(pk.get())) {
    case MBEDTLS_PK_RSA:
      return from_parsed_rsa(pk.get());
    case MBEDTLS_PK_ECKEY:
      return from_parsed_curve(pk.get());
    default:
      return Code::key_type_inconsistent;
  }
}

}  // namespace cardea::vcard
