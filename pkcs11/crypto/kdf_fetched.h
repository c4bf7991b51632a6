// MAC and key-derivation algorithms of the crypto library, fetched once each.
#pragma once

#include <openssl/types.h>

#include <cstdint>

namespace cardea::crypto {

enum class Mac : std::uint8_t { hmac, cmac };
enum class Kdf : std::uint8_t { hkdf, pbkdf2, tls1_prf };

/// Kept for the life of the process; null when the library has none.
EVP_MAC* fetched_mac(Mac mac) noexcept;
EVP_KDF* fetched_kdf(Kdf kdf) noexcept;

}  // namespace cardea::crypto
