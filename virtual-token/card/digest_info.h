// Hashes, and the PKCS#1 v1.5 blocks made of them (RFC 8017, 9.2 and 7.2).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::vcard {

enum class HashType : std::uint8_t { sha1, sha256, sha384, sha512 };

/// Codes: device_error when the library lacks the hash.
Result<Bytes> hash(HashType type, ByteView data);

std::size_t hash_size(HashType type);

/// The DigestInfo of a digest in DER.
Bytes digest_info(HashType type, ByteView digest);

/// 00 01 FF … 00 content, as long as the modulus. Codes: data_length when the content does not fit.
Result<Bytes> pkcs1_signature_block(ByteView content, std::size_t modulus_size);

/// What an encryption block 00 02 … 00 content carries. Its duration tells where the content begins, which a virtual
/// card may: it protects nothing. Codes: data_invalid.
Result<Bytes> pkcs1_encryption_content(ByteView block);

}  // namespace cardea::vcard
