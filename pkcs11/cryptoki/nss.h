// Constants of nss.def.
#pragma once

#include "cryptoki/cryptoki.h"

namespace cardea {

#define CARDEA_CK(prefix, name, value) inline constexpr CK_ULONG name = value;
#include "cryptoki/nss.def"
#undef CARDEA_CK

}  // namespace cardea
