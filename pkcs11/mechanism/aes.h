// What the AES mechanisms have in common.
#pragma once

#include "mechanism/aes_modes.h"
#include "mechanism/generic_secret.h"

namespace cardea {

inline constexpr std::size_t aes_block_size = 16;
inline constexpr CK_MECHANISM_INFO aes_info(CK_FLAGS flags) {
  return {16, 32, flags};
}

/// The AES key behind `ref`; key_type_inconsistent, key_size_range.
Result<const SecretKey*> aes_key(const KeyRef& ref);

}  // namespace cardea
