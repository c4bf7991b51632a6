// GENERATE ASYMMETRIC KEY PAIR, PUT KEY and public keys (GIDS 2.0, tables 43 to 45, 64, 65).
#include <algorithm>

#include "card/block_cipher.h"
#include "card/gids_applet.h"

namespace cardea::vcard {

namespace {

constexpr Byte symmetric_kind = 1;
constexpr Byte rsa_kind = 2;
constexpr Byte curve_kind = 3;
constexpr Byte sent_in_the_clear = 0;

// A byte of the key's template; `absent` when the template lacks it, nothing when it is no byte.
std::optional<Byte> byte_or(ByteView data, std::uint32_t tag, Byte absent) {
  const auto value = find_tlv(data, tag);
  if (!value) return absent;
  if (value->size() != 1) return std::nullopt;
  return value->front();
}

// A number as long as it has to be: Windows puts a zero before some, and leaves others short.
std::optional<SecretBytes> fixed_size(ByteView number, std::size_t size) {
  while (!number.empty() && number.front() == 0) number = number.subspan(1);
  if (number.size() > size) return std::nullopt;
  SecretBytes out(size);
  std::copy(number.begin(), number.end(), out.data() + (size - number.size()));
  return out;
}

// RSAPrivateKey (RFC 8017, A.1.2): version, modulus, two exponents, two primes; the rest follows from these.
Result<CardKey> rsa_key(ByteView sequence) {
  ByteView numbers[6];
  TlvReader reader(sequence);
  for (ByteView& number : numbers) {
    const auto object = reader.next();
    if (!object || object->tag != 0x02) return Code::data_invalid;
    number = object->value;
  }
  std::uint32_t exponent = 0;
  if (numbers[2].size() > 4) return Code::data_invalid;
  for (const Byte byte : numbers[2]) exponent = exponent << 8 | byte;
  for (const Byte algorithm : {0x06, 0x07, 0x08, 0x09}) {
    const KeyType type = *gids::key_type(algorithm);
    if (!fixed_size(numbers[1], field_size(type))) continue;
    const auto p = fixed_size(numbers[4], field_size(type) / 2);
    const auto q = fixed_size(numbers[5], field_size(type) / 2);
    if (!p || !q) return Code::data_invalid;
    return CardKey::from_primes(type, p->view(), q->view(), exponent);
  }
  return Code::key_size_range;
}

// ECPrivateKey (RFC 5915, 3): version and scalar.
Result<CardKey> curve_key(ByteView sequence) {
  const auto scalar = find_tlv(sequence, 0x04);
  if (!scalar) return Code::data_invalid;
  for (const KeyType type : {KeyType::p256, KeyType::p384}) {
    if (scalar->size() == field_size(type)) return CardKey::from_scalar(type, *scalar);
  }
  return Code::key_size_range;
}

}  // namespace

Response GidsApplet::generate_key_pair(const Command& command) {
  if (command.p1p2() != 0) return sw::wrong_p1_p2;
  const auto control = find_tlv(command.data, 0xAC);
  const auto algorithm = control ? find_tlv(*control, 0x80) : std::nullopt;
  const auto reference = control ? find_tlv(*control, 0x83) : std::nullopt;
  if (!algorithm || algorithm->size() != 1 || !reference || reference->size() != 1) return sw::data_invalid;
  GidsFile* file = key_file(reference->front());
  if (!file) return sw::data_invalid;
  if (const StatusWord refused = check_file(*file, Access::generate); refused != sw::ok) return refused;
  const auto type = gids::key_type(algorithm->front());
  if (!type) return sw::function_not_supported;
  auto key = CardKey::generate(*type);
  if (!key) return sw::unknown_failure;
  changed_ = true;
  file->key.emplace(std::move(*key));
  return gids::public_key_template(*file->key);
}

Response GidsApplet::get_public_key(Byte reference) {
  const GidsFile* file = key_file(reference);
  if (!file || !file->key) return sw::reference_not_found;
  if (const StatusWord refused = check_file(*file, Access::public_key); refused != sw::ok) return refused;
  return gids::public_key_template(*file->key);
}

Response GidsApplet::put_key(ByteView key_usage) {
  const auto reference = find_tlv(key_usage, 0x84);
  const auto content = find_tlv(key_usage, 0xA5);
  if (!reference || reference->size() != 1 || !content) return sw::data_invalid;
  const auto kind = byte_or(*content, 0x83, symmetric_kind);
  const auto transport = byte_or(*content, 0x84, sent_in_the_clear);
  const auto value = find_tlv(*content, 0x87);
  GidsFile* file = key_file(reference->front());
  if (!kind || !transport || !value || !file) return sw::data_invalid;
  if (*transport != sent_in_the_clear) return sw::function_not_supported;
  if (const StatusWord refused = check_file(*file, Access::put_key); refused != sw::ok) return refused;
  if (*kind == symmetric_kind) {
    if (value->size() != key_size(BlockCipher::des3)) return sw::data_invalid;
    changed_ = true;
    file->symmetric_key = SecretBytes(*value);
    return sw::ok;
  }
  const auto sequence = find_tlv(*value, 0x30);
  if (!sequence || (*kind != rsa_kind && *kind != curve_kind)) return sw::data_invalid;
  auto key = *kind == rsa_kind ? rsa_key(*sequence) : curve_key(*sequence);
  if (!key) return sw::data_invalid;
  changed_ = true;
  file->key.emplace(std::move(*key));
  return sw::ok;
}

namespace gids {

std::optional<KeyType> key_type(Byte algorithm) {
  switch (algorithm & 0x0F) {
    case 0x06:
      return KeyType::rsa1024;
    case 0x07:
      return KeyType::rsa2048;
    case 0x08:
      return KeyType::rsa3072;
    case 0x09:
      return KeyType::rsa4096;
    case 0x0C:
      return KeyType::p256;
    case 0x0D:
      return KeyType::p384;
    default:
      return std::nullopt;
  }
}

Bytes public_key_template(const CardKey& key) {
  if (!is_rsa(key.type())) return make_tlv(0x7F49, make_tlv(0x86, key.point()));
  Bytes content = make_tlv(0x81, key.modulus());
  append_tlv(content, 0x82, key.exponent());
  return make_tlv(0x7F49, content);
}

}  // namespace gids

}  // namespace cardea::vcard
