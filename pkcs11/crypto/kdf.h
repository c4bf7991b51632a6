// Key derivation functions of the crypto library.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"

namespace cardea::crypto {

/// HKDF-Extract (RFC 5869, 2.2): a pseudo-random key as long as the hash. An empty salt means a salt of zeros.
Result<SecretBytes> hkdf_extract(Hash hash, ByteView salt, ByteView key_material);

/// HKDF-Expand (RFC 5869, 2.3). key_size_range when `size` is 0 or above 255 times the hash;
/// mechanism_param_invalid for an info that the library finds too long (some kilobytes).
Result<SecretBytes> hkdf_expand(Hash hash, ByteView pseudo_random_key, ByteView info, std::size_t size);

/// PBKDF2 with HMAC (RFC 8018, 5.2). `iterations` and `size` are at least 1.
Result<SecretBytes> pbkdf2(Hash hash, ByteView password, ByteView salt, std::uint64_t iterations, std::size_t size);

/// The pseudo-random function of TLS 1.2 with P_hash (RFC 5246, 5), or, for Hash::none, that of TLS 1.0 and 1.1 with
/// MD5 and SHA-1 (RFC 4346, 5). mechanism_param_invalid when label and seed together are too long (about a kilobyte).
Result<SecretBytes> tls_prf(Hash hash, ByteView secret, ByteView label, ByteView seed, std::size_t size);

}  // namespace cardea::crypto
