// Mechanisms of NSS's own that NSS asks of any module (pkcs11n.h of NSS).
#pragma once

#include "cryptoki/cryptoki.h"

namespace cardea {

/// CKM_AES_KEY_WRAP under NSS's number.
inline constexpr CK_MECHANISM_TYPE CKM_NSS_AES_KEY_WRAP = 0xce534351UL;

}  // namespace cardea
