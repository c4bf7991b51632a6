#include "tpm_remote/structures.h"

#include <algorithm>
#include <array>

#include "crypto/digest.h"

namespace cardea::tpm {
namespace {

Error malformed(std::string_view what) {
  return error(Code::data_invalid, std::string(what) + " is damaged");
}

/// TPMT_SYM_DEF_OBJECT (part 2, 11.1.7).
void read_cipher(StructureReader& reader, PublicArea& area) {
  area.cipher = reader.read_16();
  if (area.cipher == number::none) return;
  area.cipher_bits = reader.read_16();
  area.cipher_mode = reader.read_16();
}

/// A scheme with its hash, as far as it has one (part 2, 11.2.1).
std::uint16_t read_scheme(StructureReader& reader) {
  const std::uint16_t scheme = reader.read_16();
  if (scheme != number::none && scheme != number::rsaes) reader.read_16();
  if (scheme == number::ecdaa) reader.read_16();
  return scheme;
}

Result<crypto::AsymmetricKeyPtr> read_rsa(StructureReader& reader, PublicArea& area) {
  read_cipher(reader, area);
  area.scheme = read_scheme(reader);
  const std::size_t bits = reader.read_16();
  const std::uint32_t exponent = reader.read_32();
  const ByteView modulus = reader.take_sized();
  if (!reader.done() || modulus.size() * 8 != bits) return malformed("the public area");
  crypto::RsaNumbers numbers;
  numbers.modulus = to_bytes(modulus);
  append_number(numbers.public_exponent, exponent == 0 ? 65537 : exponent, 4);
  const auto first =
      std::find_if(numbers.public_exponent.begin(), numbers.public_exponent.end(), [](Byte byte) { return byte != 0; });
  numbers.public_exponent.erase(numbers.public_exponent.begin(), first);
  return crypto::AsymmetricKey::rsa(numbers);
}

std::optional<crypto::KeyAlgorithm> curve_of(std::uint16_t curve) {
  switch (curve) {
    case 0x0003:
      return crypto::KeyAlgorithm::p256;
    case 0x0004:
      return crypto::KeyAlgorithm::p384;
    case 0x0005:
      return crypto::KeyAlgorithm::p521;
    default:
      return {};
  }
}

/// Appends a number in as many bytes as wanted; false when it is longer.
bool append_padded(Bytes& out, ByteView number, std::size_t size) {
  while (!number.empty() && number.front() == 0) number = number.subspan(1);
  if (number.size() > size) return false;
  out.insert(out.end(), size - number.size(), Byte{0});
  out.insert(out.end(), number.begin(), number.end());
  return true;
}

Result<crypto::AsymmetricKeyPtr> read_ecc(StructureReader& reader, PublicArea& area) {
  read_cipher(reader, area);
  area.scheme = read_scheme(reader);
  const auto curve = curve_of(reader.read_16());
  read_scheme(reader);  // of key derivation, which nobody uses
  const ByteView x = reader.take_sized();
  const ByteView y = reader.take_sized();
  if (!reader.done()) return malformed("the public area");
  if (!curve) return Code::curve_not_supported;
  const std::size_t size = crypto::facts_of(*curve).private_size;
  Bytes point{0x04};
  if (!append_padded(point, x, size) || !append_padded(point, y, size)) return Code::public_key_invalid;
  return crypto::AsymmetricKey::from_public(*curve, point);
}

/// DigestInfo of the SHA-2 hashes (RFC 8017, 9.2).
Bytes digest_info(Hash hash, ByteView digest) {
  const auto size = static_cast<Byte>(digest.size());
  Bytes info{0x30, static_cast<Byte>(17 + size), 0x30, 13,   0x06, 9,   0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
             0x02, crypto::hash_nist_arc(hash),  0x05, 0x00, 0x04, size};
  info.insert(info.end(), digest.begin(), digest.end());
  return info;
}

}  // namespace

std::uint64_t StructureReader::read(std::size_t size) {
  std::uint64_t value = 0;
  for (const Byte byte : take(size)) value = value << 8 | byte;
  return value;
}

ByteView StructureReader::take(std::size_t size) {
  if (!ok_ || size > rest_.size()) {
    ok_ = false;
    return {};
  }
  const ByteView taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

void append_number(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) out.push_back(static_cast<Byte>(value >> 8 * i));
}

void append_sized(Bytes& out, ByteView bytes) {
  append_number(out, bytes.size(), 2);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

Hash hash_of_number(std::uint16_t number) noexcept {
  switch (number) {
    case number::sha256:
      return Hash::sha256;
    case number::sha384:
      return Hash::sha384;
    case number::sha512:
      return Hash::sha512;
    default:
      return Hash::none;
  }
}

Result<PublicArea> parse_public_area(ByteView bytes) {
  StructureReader outer(bytes);
  PublicArea area;
  area.area = to_bytes(outer.take_sized());
  if (!outer.done()) return malformed("the public area");
  StructureReader reader(area.area);
  area.type = reader.read_16();
  area.name_algorithm = reader.read_16();
  area.attributes = reader.read_32();
  reader.take_sized();  // the policy, part of the name and nothing else to us
  if (!reader.ok()) return malformed("the public area");
  if (area.type == number::rsa) {
    CARDEA_ASSIGN(area.key, read_rsa(reader, area));
  } else if (area.type == number::ecc) {
    CARDEA_ASSIGN(area.key, read_ecc(reader, area));
  } else {
    return error(Code::data_invalid, "the public area is not of a key pair");
  }
  return area;
}

Result<Bytes> object_name(std::uint16_t name_algorithm, ByteView area) {
  return qualified_name(name_algorithm, {}, area);
}

Result<Bytes> qualified_name(std::uint16_t name_algorithm, ByteView parent, ByteView name) {
  const Hash hash = hash_of_number(name_algorithm);
  if (hash == Hash::none) return error(Code::mechanism_invalid, "an object is named by a hash that is not accepted");
  Bytes input = to_bytes(parent);
  input.insert(input.end(), name.begin(), name.end());
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(hash, input));
  Bytes result;
  append_number(result, name_algorithm, 2);
  result.insert(result.end(), digest.begin(), digest.end());
  return result;
}

Result<Certification> parse_certification(ByteView bytes) {
  StructureReader reader(bytes);
  if (reader.read_32() != number::generated) {
    return error(Code::data_invalid, "the certification was not made inside a TPM");
  }
  if (reader.read_16() != number::attest_certify) return error(Code::data_invalid, "this certifies no key");
  Certification found;
  found.signer = to_bytes(reader.take_sized());
  found.nonce = to_bytes(reader.take_sized());
  reader.take(8 + 4 + 4 + 1);  // the TPM's clock
  found.firmware = reader.read(8);
  found.name = to_bytes(reader.take_sized());
  found.qualified_name = to_bytes(reader.take_sized());
  if (!reader.done()) return malformed("the certification");
  return found;
}

Status verify_signature(const PublicArea& key, ByteView message, ByteView signature) {
  StructureReader reader(signature);
  const std::uint16_t scheme = reader.read_16();
  const Hash hash = hash_of_number(reader.read_16());
  const ByteView first = reader.take_sized();
  if (!reader.ok() || hash == Hash::none || scheme != key.scheme) return Code::signature_invalid;
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(hash, message));
  if (scheme == number::rsassa && key.type == number::rsa && reader.done()) {
    return key.key->verify_pkcs1(digest_info(hash, digest), first);
  }
  const ByteView second = reader.take_sized();
  if (scheme != number::ecdsa || key.type != number::ecc || !reader.done()) return Code::signature_invalid;
  const std::size_t size = key.key->facts().private_size;
  Bytes both;
  if (!append_padded(both, first, size) || !append_padded(both, second, size)) return Code::signature_invalid;
  return key.key->ecdsa_verify(digest, both);
}

}  // namespace cardea::tpm
