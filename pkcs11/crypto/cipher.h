// Symmetric ciphers as the crypto library has them, fetched once.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>

namespace cardea::crypto {

/// Ciphers and their modes. XTS takes both its keys as one; cts is CBC-CS1 (SP 800-38A addendum). Only cbc_pad pads.
enum class Cipher : std::uint8_t {
  aes_ecb,
  aes_cbc,
  aes_cbc_pad,
  aes_cts,
  aes_ctr,
  aes_cfb1,
  aes_cfb8,
  aes_cfb128,
  aes_ofb,
  aes_gcm,
  aes_ccm,
  aes_xts,
  aes_wrap,
  aes_wrap_pad,
  chacha20,
  chacha20_poly1305,
  triple_des_ecb,  ///< keys of 24 bytes; only for administrators' keys of cards (SP 800-78-4, table 7)
  triple_des_cbc
};
inline constexpr std::size_t cipher_count = 18;

enum class Direction : std::uint8_t { decrypt, encrypt };

/// Whether the crypto library has the cipher for a key of that many bytes. Fetches nothing.
bool cipher_available(Cipher cipher, std::size_t key_size);

/// The fetched implementation for a key of that many bytes, kept for the life of the process; null when there is none.
const EVP_CIPHER* cipher_algorithm(Cipher cipher, std::size_t key_size) noexcept;

}  // namespace cardea::crypto
