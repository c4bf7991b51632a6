#include "card/digest_info.h"

#include <mbedtls/md.h>

#include <algorithm>

#include "card/tlv.h"

namespace cardea::vcard {

namespace {

// Object identifiers in DER, without tag and length (RFC 8017, B.1).
constexpr Byte sha1_type[] = {0x2B, 0x0E, 0x03, 0x02, 0x1A};
constexpr Byte sha256_type[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
constexpr Byte sha384_type[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
constexpr Byte sha512_type[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03};

// At least eight bytes of padding and three of frame (RFC 8017, 9.2 and 7.2.1).
constexpr std::size_t least_frame = 11;

struct HashInfo {
  mbedtls_md_type_t library;
  ByteView identifier;
  std::size_t size;
};

HashInfo info_of(HashType type) {
  switch (type) {
    case HashType::sha1:
      return {MBEDTLS_MD_SHA1, sha1_type, 20};
    case HashType::sha384:
      return {MBEDTLS_MD_SHA384, sha384_type, 48};
    case HashType::sha512:
      return {MBEDTLS_MD_SHA512, sha512_type, 64};
    case HashType::sha256:
      break;
  }
  return {MBEDTLS_MD_SHA256, sha256_type, 32};
}

}  // namespace

std::size_t hash_size(HashType type) {
  return info_of(type).size;
}

Result<Bytes> hash(HashType type, ByteView data) {
  const mbedtls_md_info_t* info = mbedtls_md_info_from_type(info_of(type).library);
  Bytes digest(hash_size(type));
  if (!info || mbedtls_md(info, data.data(), data.size(), digest.data()) != 0) return Code::device_error;
  return digest;
}

Bytes digest_info(HashType type, ByteView digest) {
  Bytes algorithm = make_tlv(0x06, info_of(type).identifier);
  append_tlv(algorithm, 0x05, {});
  Bytes content = make_tlv(0x30, algorithm);
  append_tlv(content, 0x04, digest);
  return make_tlv(0x30, content);
}

Result<Bytes> pkcs1_signature_block(ByteView content, std::size_t modulus_size) {
  if (content.size() + least_frame > modulus_size) return Code::data_length;
  Bytes block(modulus_size, 0xFF);
  block[0] = 0x00;
  block[1] = 0x01;
  block[modulus_size - content.size() - 1] = 0x00;
  std::copy(content.begin(), content.end(), block.end() - static_cast<std::ptrdiff_t>(content.size()));
  return block;
}

Result<Bytes> pkcs1_encryption_content(ByteView block) {
  if (block.size() < least_frame || block[0] != 0x00 || block[1] != 0x02) return Code::data_invalid;
  const auto end = std::find(block.begin() + 2, block.end(), 0x00);
  if (end == block.end() || end - block.begin() < static_cast<std::ptrdiff_t>(least_frame) - 1)
    return Code::data_invalid;
  return Bytes(end + 1, block.end());
}

}  // namespace cardea::vcard
