// The places for keys on a PIV card (SP 800-73-4 part 1, table 4b; SP 800-78-4, table 6-1).
#pragma once

#include <optional>

#include "cardmodules/card_module.h"

namespace cardea::card::piv {

inline constexpr Byte key_authentication = 0x9a;
inline constexpr Byte key_management_9b = 0x9b;  ///< the administrator's key
inline constexpr Byte key_signature = 0x9c;
inline constexpr Byte key_management = 0x9d;
inline constexpr Byte key_card_authentication = 0x9e;
inline constexpr Byte key_retired_first = 0x82;
inline constexpr Byte key_retired_last = 0x95;
inline constexpr Byte key_attestation = 0xf9;  ///< YubiKeys
inline constexpr std::size_t retired_count = 20;

/// Whether the reference names one of the twenty retired key management keys.
constexpr bool is_retired(std::uint32_t reference) noexcept {
  return reference >= key_retired_first && reference <= key_retired_last;
}

/// The place of a key reference; empty when PIV has no such. CKA_ID counts 9A 9C 9D 9E 82 … 95 from 1, as other
/// middleware does, so that configurations survive a change to ours.
std::optional<ContainerPlace> place_of(std::uint32_t reference);

/// The data object with the certificate of a key; 0 when PIV has no such key. F9 is known here too.
std::uint32_t certificate_object(std::uint32_t reference) noexcept;

}  // namespace cardea::card::piv
