// What YubiKeys since 5.3 tell of a key or PIN without showing it (Yubico, "PIV extensions", GET METADATA F7).
#pragma once

#include <optional>

#include "cardmodules/card_module.h"
#include "piv/algorithms.h"

namespace cardea::card::piv {

struct Metadata {
  Byte algorithm = 0;  ///< of a key or the management key
  std::optional<PinPolicy> pin;
  std::optional<TouchPolicy> touch;
  bool generated = false;   ///< on the card
  Bytes public_key;         ///< SubjectPublicKeyInfo; empty when there is none
  bool is_default = false;  ///< a PIN or management key from the factory
  std::optional<int> tries_limit;
  std::optional<int> tries_left;
};

/// data_invalid, public_key_invalid.
Result<Metadata> parse_metadata(ByteView answer);

/// The values of the policy fields AA and AB for these policies.
Byte policy_value(PinPolicy policy) noexcept;
Byte policy_value(TouchPolicy policy) noexcept;

}  // namespace cardea::card::piv
