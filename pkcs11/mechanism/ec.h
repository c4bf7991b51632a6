// The elliptic curve mechanisms (PKCS#11 3.2, 6.3), in files by what they do.
#pragma once

#include "mechanism/mechanism.h"

namespace cardea {

/// Sizes of our short Weierstrass curves' fields in bits.
inline constexpr CK_ULONG ec_min_bits = 256;
inline constexpr CK_ULONG ec_max_bits = 521;
/// What CK_MECHANISM_INFO says of them: prime fields, named by identifier or name or spelt out, both point forms.
inline constexpr CK_FLAGS ec_flags = CKF_EC_F_P | CKF_EC_OID | CKF_EC_CURVENAME | CKF_EC_UNCOMPRESS | CKF_EC_COMPRESS;

/// Bytes of keying data from a shared secret; `length` is checked against what the function can give.
/// `kdf` is one of CKD_* but not CKD_NULL. mechanism_param_invalid for functions we do not have.
Result<SecretBytes> ec_kdf(CK_EC_KDF_TYPE kdf, ByteView shared_secret, ByteView shared_data, std::size_t length);

void register_ecdsa(MechanismRegistry& registry);
void register_ecdh(MechanismRegistry& registry);

}  // namespace cardea
