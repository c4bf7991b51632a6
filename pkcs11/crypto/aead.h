// Authenticated encryption in one call, for stores. Mechanisms use crypto/symmetric_key.h.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea::crypto {

inline constexpr std::size_t aead_key_size = 32;    ///< bytes of an AES-256 key
inline constexpr std::size_t aead_nonce_size = 12;  ///< bytes of a nonce (SP 800-38D, 5.2.1.1)
inline constexpr std::size_t aead_tag_size = 16;    ///< bytes that sealing adds

/// AES-256-GCM: ciphertext followed by the 16-byte tag. `key` is 32 bytes, `nonce` 12 bytes and never used twice with
/// the same key. arguments_bad for other lengths.
Result<Bytes> aead_seal(ByteView key, ByteView nonce, ByteView associated_data, ByteView plaintext);

/// The inverse of aead_seal. aead_decrypt_failed when anything was changed; nothing of the plaintext is given out then.
Result<SecretBytes> aead_open(ByteView key, ByteView nonce, ByteView associated_data, ByteView sealed);

}  // namespace cardea::crypto
