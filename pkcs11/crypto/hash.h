// Hash functions by name, and which of them the crypto library has.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>

namespace cardea {

enum class Hash : std::uint8_t {
  none,
  sha1,
  sha224,
  sha256,
  sha384,
  sha512,
  sha512_224,
  sha512_256,
  sha3_224,
  sha3_256,
  sha3_384,
  sha3_512,
  blake2b_160,
  blake2b_256,
  blake2b_384,
  blake2b_512,
  shake128,
  shake256
};
inline constexpr std::size_t hash_count = 18;

namespace crypto {

/// OpenSSL's name of the algorithm, e.g. "SHA2-256"; null for Hash::none.
const char* hash_name(Hash hash) noexcept;

/// Digest bytes: 32 for SHAKE128 and 64 for SHAKE256 (FIPS 204, 5.4.1), 0 for Hash::none.
std::size_t hash_size(Hash hash) noexcept;

/// Input block bytes, as HMAC and the KDFs need it; 0 for Hash::none.
std::size_t hash_block_size(Hash hash) noexcept;

/// The last number of the hash's object identifier under 2.16.840.1.101.3.4.2 (NIST's Computer Security Objects
/// Register), as DigestInfo and the pre-hashed signatures name it; 0 for hashes outside that arc.
std::uint8_t hash_nist_arc(Hash hash) noexcept;

/// The fetched implementation, kept for the life of the process; null when this library has no such hash.
const EVP_MD* hash_md(Hash hash) noexcept;

}  // namespace crypto
}  // namespace cardea
