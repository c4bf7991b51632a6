// What a virtual PIV card remembers without power.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "card/block_cipher.h"
#include "card/card_key.h"
#include "card/pin.h"

namespace cardea::vcard {

/// When a private key asks for the PIN, as Yubico's extension numbers it (tag AA).
enum class PinPolicy : std::uint8_t { never = 1, once = 2, always = 3 };

/// When a private key asks for a touch (tag AB).
enum class TouchPolicy : std::uint8_t { never = 1, always = 2, cached = 3 };

enum class KeyOrigin : std::uint8_t { generated = 1, imported = 2 };

struct PivKey {
  CardKey key;
  PinPolicy pin_policy = PinPolicy::once;
  TouchPolicy touch_policy = TouchPolicy::never;
  KeyOrigin origin = KeyOrigin::generated;
};

struct ManagementKey {
  BlockCipher cipher = BlockCipher::aes192;
  SecretBytes value;
  TouchPolicy touch_policy = TouchPolicy::never;
  bool initial = true;
};

/// Choices that a card's maker makes.
struct PivProfile {
  bool vendor_extensions = true;  ///< Yubico's: metadata, import, move, attestation, reset, …
  bool list_algorithms = false;   ///< tag AC in the answer to SELECT (SP 800-73-4 part 2, 3.1.1)
  bool select_forgets = false;    ///< selecting PIV again closes the security status, against SP 800-73-4
  BlockCipher management_cipher = BlockCipher::aes192;  ///< of a new or reset card's management key
};

struct PivState {
  PivProfile profile;
  std::uint32_t serial = 0;
  PinState pin;
  PinState puk;
  std::optional<PinState> global_pin;
  ManagementKey management;
  std::map<Byte, PivKey> keys;             ///< by key reference: 9A 9C 9D 9E 82-95 F9
  std::map<std::uint32_t, Bytes> objects;  ///< by tag; without the outer 53
};

/// PIN 123456, filled up, and PUK 12345678 of a new card.
ByteView initial_piv_pin();
ByteView initial_piv_puk();

/// The discovery object: which PINs the card has (SP 800-73-4 part 1, 3.3.2).
Bytes piv_discovery(bool global_pin);

/// The values a new or reset card has: PIN 123456, PUK 12345678, the well-known management key 0102…08 repeated
/// (three tries each). Keeps profile and serial number.
void reset_piv(PivState& state);

/// A new card with a random serial number, its CHUID, CCC and discovery object, and with vendor extensions an
/// attestation key. Codes: device_error.
Result<PivState> new_piv(PivProfile profile);

}  // namespace cardea::vcard
