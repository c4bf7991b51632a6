// Between attributes and usable keys.
#pragma once

#include "token/key.h"
#include "token/object.h"

namespace cardea {

/// The usable key of a public, private or secret key object made of attributes and secrets (keystore, session objects).
/// attribute_value_invalid, curve_not_supported, template_incomplete when the material does not make a key.
Result<KeyPtr> make_key(const AttributeSet& attributes, const SecretAttributes& secrets);

/// What C_WrapKey encrypts: the value of a secret key, or the PKCS#8 PrivateKeyInfo (RFC 5208) of a private key.
Result<SecretBytes> key_material(const AttributeSet& attributes, const SecretAttributes& secrets);

/// The inverse for C_UnwrapKey: fills attributes and secrets of `object` (whose CKA_CLASS and CKA_KEY_TYPE are set)
/// from the material. wrapped_key_invalid when it is no such key.
Status set_key_material(NewObject& object, SecretBytes material);

/// Completes a created private or public key: derives CKA_MODULUS_BITS, CKA_PUBLIC_KEY_INFO (SubjectPublicKeyInfo), the
/// CRT parts of an RSA key given without them, and checks that the parts belong together (attribute_value_invalid).
Status complete_key(NewObject& object);

}  // namespace cardea
