#include "mechanism/ec.h"

#include "mechanism/ec_key_pair.h"

namespace cardea {

Result<GeneratedPair> CurveKeyPairGen::generate_key_pair(Parameter parameter, const AttributeSet& public_template,
                                                         const AttributeSet&) const {
  CARDEA_TRY(parameter.expect_none());
  CARDEA_ASSIGN(const crypto::KeyAlgorithm algorithm, algorithm_of(key_type_, public_template));
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::AsymmetricKey::generate(algorithm));
  return describe_pair(*key, public_template);
}

void register_ec(MechanismRegistry& registry) {
  registry.emplace<CurveKeyPairGen>(
      CKM_EC_KEY_PAIR_GEN, CKK_EC,
      CK_MECHANISM_INFO{ec_min_bits, ec_max_bits, CKF_GENERATE_KEY_PAIR | CKF_EC_ECPARAMETERS | ec_flags});
  register_ecdsa(registry);
  register_ecdh(registry);
}

}  // namespace cardea
