#include "token/key_material.h"

#include "crypto/key_encoding.h"
#include "token/key_attributes.h"

namespace cardea {
namespace {

CK_OBJECT_CLASS class_of(const AttributeSet& attributes) {
  return attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED);
}

Result<ByteView> secret_value(const AttributeSet& attributes, const SecretAttributes& secrets) {
  const auto secret = secrets.find(CKA_VALUE);
  const ByteView value =
      secret != secrets.end() ? secret->second.view() : attributes.get(CKA_VALUE).value_or(ByteView());
  if (value.empty()) return Code::template_incomplete;
  return value;
}

}  // namespace

Result<KeyPtr> make_key(const AttributeSet& attributes, const SecretAttributes& secrets) {
  switch (class_of(attributes)) {
    case CKO_SECRET_KEY: {
      CARDEA_ASSIGN(const ByteView value, secret_value(attributes, secrets));
      const CK_KEY_TYPE type = attributes.get_ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
      return KeyPtr(std::make_shared<SecretKey>(type, SecretBytes(value)));
    }
    case CKO_PUBLIC_KEY: {
      CARDEA_ASSIGN(crypto::AsymmetricKeyPtr key, public_key(attributes));
      return KeyPtr(std::make_shared<PublicKey>(std::move(key)));
    }
    case CKO_PRIVATE_KEY: {
      CARDEA_ASSIGN(crypto::AsymmetricKeyPtr key, private_key(attributes, secrets, true));
      return KeyPtr(std::make_shared<SoftPrivateKey>(std::move(key)));
    }
    default:
      return Code::attribute_value_invalid;
  }
}

Result<SecretBytes> key_material(const AttributeSet& attributes, const SecretAttributes& secrets) {
  switch (class_of(attributes)) {
    case CKO_SECRET_KEY: {
      CARDEA_ASSIGN(const ByteView value, secret_value(attributes, secrets));
      return SecretBytes(value);
    }
    case CKO_PRIVATE_KEY: {
      CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, private_key(attributes, secrets, true));
      return crypto::private_key_info(*key);
    }
    default:
      return Code::key_not_wrappable;
  }
}

Status set_key_material(NewObject& object, SecretBytes material) {
  if (material.empty()) return Code::wrapped_key_invalid;
  switch (class_of(object.attributes)) {
    case CKO_SECRET_KEY:
      object.secrets.insert_or_assign(CKA_VALUE, std::move(material));
      return {};
    case CKO_PRIVATE_KEY: {
      CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_private_key_info(material.view()));
      if (object.attributes.get_ulong(CKA_KEY_TYPE) != key_type_of(key->algorithm())) return Code::wrapped_key_invalid;
      return describe_private(*key, object.attributes, object.secrets);
    }
    default:
      return Code::template_inconsistent;
  }
}

Status complete_key(NewObject& object) {
  switch (class_of(object.attributes)) {
    case CKO_PUBLIC_KEY: {
      CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, public_key(object.attributes));
      return describe_public(*key, object.attributes);
    }
    case CKO_PRIVATE_KEY: {
      CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, private_key(object.attributes, object.secrets, false));
      return describe_private(*key, object.attributes, object.secrets);
    }
    default:
      return {};
  }
}

}  // namespace cardea
