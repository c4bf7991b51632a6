// Algorithm identifiers of PIV (SP 800-78-4, table 6-2; 05, 16, E0, E1 as YubiKeys since 5.7), and public keys as cards
// tell them.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/key_algorithm.h"

namespace cardea::card::piv {

/// Of keys in key references.
namespace algorithm {
inline constexpr Byte rsa_3072 = 0x05;
inline constexpr Byte rsa_1024 = 0x06;
inline constexpr Byte rsa_2048 = 0x07;
inline constexpr Byte rsa_4096 = 0x16;
inline constexpr Byte p256 = 0x11;
inline constexpr Byte p384 = 0x14;
inline constexpr Byte ed25519 = 0xe0;
inline constexpr Byte x25519 = 0xe1;
}  // namespace algorithm

/// What an identifier stands for.
struct KeyKind {
  Byte identifier = 0;
  crypto::KeyAlgorithm algorithm{};
  std::size_t bits = 0;  ///< RSA only
};

std::optional<KeyKind> kind_of_identifier(Byte identifier) noexcept;
/// Empty when PIV has no such keys. `bits` counts for RSA only.
std::optional<KeyKind> kind_of_key(crypto::KeyAlgorithm algorithm, std::size_t bits) noexcept;
/// Of a SubjectPublicKeyInfo; public_key_invalid, mechanism_invalid when no PIV card has such keys.
Result<KeyKind> kind_of_public_key(ByteView key_info);

/// SubjectPublicKeyInfo of the fields 81 and 82 (RSA) or 86 in which cards answer public keys (SP 800-73-4 part 2,
/// table 11). data_invalid, public_key_invalid.
Result<Bytes> read_public_key(const KeyKind& kind, ByteView fields);

/// A signature of two numbers in DER (RFC 3279, 2.2.3) as r || s, each `size` bytes; answers 2 * size. data_invalid.
Result<std::size_t> raw_ecdsa_signature(ByteView der, std::size_t size, MutableBytes out);

}  // namespace cardea::card::piv
