// Montgomery curves: key generation (PKCS#11 3.2, 6.3.9). Key agreement is that of all curves, in ec_dh.cc.
#include "mechanism/ec_key_pair.h"

namespace cardea {

void register_montgomery(MechanismRegistry& registry) {
  constexpr CK_ULONG min_bits = 255;
  constexpr CK_ULONG max_bits = 448;
  constexpr CK_FLAGS flags = CKF_GENERATE_KEY_PAIR | CKF_EC_F_P | CKF_EC_OID | CKF_EC_CURVENAME | CKF_EC_COMPRESS;
  registry.emplace<CurveKeyPairGen>(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKK_EC_MONTGOMERY,
                                    CK_MECHANISM_INFO{min_bits, max_bits, flags});
}

}  // namespace cardea
