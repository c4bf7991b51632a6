// Key files of a GIDS card: what a key may be used for (GIDS 2.0, tables 13, 14, 27, 28), and how keys are written as
// data objects (tables 44, 45, 64, 65). Bytes in, values out and back; nothing here talks to a card.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "cardmodules/card_module.h"

namespace cardea::card::gids {

/// Low half of a cryptographic mechanism reference: the kind of key (GIDS 2.0, table 43).
enum class KeyKind : Byte {
  rsa_1024 = 0x06,
  rsa_2048 = 0x07,
  rsa_3072 = 0x08,
  rsa_4096 = 0x09,
  p256 = 0x0c,
  p384 = 0x0d,
  p521 = 0x0e
};

constexpr bool is_rsa(KeyKind kind) noexcept {
  return kind <= KeyKind::rsa_4096;
}
/// Bits of the modulus or curve, as the container map has them.
std::uint16_t bits_of(KeyKind kind) noexcept;
/// Empty when GIDS has no such key.
std::optional<KeyKind> kind_of_bits(unsigned bits) noexcept;
/// key_size_range, curve_not_supported, key_type_inconsistent for keys that GIDS does not know.
Result<KeyKind> kind_of(crypto::KeyAlgorithm algorithm, std::size_t bits);
/// The kind of key behind a SubjectPublicKeyInfo; errors as the above, public_key_invalid.
Result<KeyKind> kind_of_public_key(ByteView key_info);

/// High half of a mechanism reference for a confidentiality template (table 27).
enum class Deciphering : Byte { raw = 0x00, pkcs1 = 0x40, oaep = 0x80 };
/// The same for a digital signature template (table 28): bit 5 says that the hash is computed off the card.
enum class Signing : Byte { raw = 0x10, pkcs1 = 0x50 };

inline constexpr Byte authentication_template = 0xa4;
inline constexpr Byte signature_template = 0xb6;
inline constexpr Byte confidentiality_template = 0xb8;

/// What the file of a key allows: its mechanism references by template, and who must have shown what.
struct KeyUse {
  Bytes signing;      ///< references in signature templates
  Bytes deciphering;  ///< references in confidentiality templates
  PinPolicy pin = PinPolicy::once;

  /// The reference whose padding is that one; empty when the key has none. The bit for off-card hashes may be missing.
  std::optional<Byte> reference(Signing padding) const;
  std::optional<Byte> reference(Deciphering padding) const;
};

/// Reads the file control parameters of a key file (62 …). data_invalid when they are damaged or of another file.
Result<KeyUse> parse_key_file(ByteView control_parameters);
/// What a key file that Windows created allows, for cards that do not tell.
KeyUse usual_key_use(KeyKind kind, bool exchanges);
/// File control parameters for a new key file: any use for keys that decrypt, signatures otherwise.
Bytes key_file(Byte key, KeyKind kind, bool exchanges, PinPolicy pin);

/// The primitives that such a key offers.
Primitives primitives_of(const KeyUse& use, KeyKind kind);

/// SubjectPublicKeyInfo from the card's public key template (7F49 …). data_invalid, public_key_invalid.
Result<Bytes> public_key_info(ByteView key_template);

/// The key usage template (70 …) that writes a private key, from PKCS#8. wrapped_key_invalid, and errors as kind_of.
Result<SecretBytes> private_key_template(Byte key, ByteView pkcs8, KeyKind& kind);
/// The same for the administrator's key; `check_value` are the first three bytes of enciphered zeros.
SecretBytes admin_key_template(Byte key, ByteView value, ByteView check_value);

/// r || s from what the card answers: that already, or a DER SEQUENCE. data_invalid.
Result<std::size_t> plain_signature(ByteView answer, KeyKind kind, MutableBytes out);

}  // namespace cardea::card::gids
