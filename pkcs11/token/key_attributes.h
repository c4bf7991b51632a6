// How asymmetric keys stand in attributes (PKCS#11 3.2, 6.1 RSA, 6.3 EC, 6.67 to 6.69 ML-DSA, SLH-DSA, ML-KEM).
#pragma once

#include "crypto/asymmetric_key.h"
#include "token/attribute_set.h"

namespace cardea {

/// CKA_KEY_TYPE of keys with that algorithm.
CK_KEY_TYPE key_type_of(crypto::KeyAlgorithm algorithm) noexcept;

/// The algorithm that CKA_KEY_TYPE with CKA_EC_PARAMS or CKA_PARAMETER_SET selects. template_incomplete without them,
/// domain_params_invalid, curve_not_supported, attribute_value_invalid (parameter set or key type).
Result<crypto::KeyAlgorithm> algorithm_of(CK_KEY_TYPE type, const AttributeSet& attributes);

/// The key of a public key object. attribute_value_invalid, template_incomplete, and what algorithm_of answers.
Result<crypto::AsymmetricKeyPtr> public_key(const AttributeSet& attributes);

/// The key of a private key object, whose private values may stand among the secrets or the attributes. With `checked`
/// its parts are trusted to belong together, because complete_key saw them before they were stored.
Result<crypto::AsymmetricKeyPtr> private_key(const AttributeSet& attributes, const SecretAttributes& secrets,
                                             bool checked);

/// Writes what the key determines: CKA_MODULUS, CKA_MODULUS_BITS, CKA_PUBLIC_EXPONENT; CKA_EC_POINT; CKA_VALUE;
/// CKA_PUBLIC_KEY_INFO; and CKA_EC_PARAMS or CKA_PARAMETER_SET unless they are there already.
Status describe_public(const crypto::AsymmetricKey& key, AttributeSet& attributes);

/// The same for a private key object; private values go to `secrets`.
Status describe_private(const crypto::AsymmetricKey& key, AttributeSet& attributes, SecretAttributes& secrets);

}  // namespace cardea
