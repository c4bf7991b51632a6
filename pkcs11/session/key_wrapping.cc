#include "session/ciphering.h"
#include "session/key_management.h"
#include "session/object_management.h"
#include "token/key_material.h"
#include "token/wrap_policy.h"

namespace cardea {
namespace {

/// A failure that concerns the wrapping or unwrapping key, in the words the standard has for it.
Error about_key(Error failure, Code handle, Code size, Code type) {
  switch (failure.code) {
    case Code::key_handle_invalid:
      failure.code = handle;
      break;
    case Code::key_size_range:
      failure.code = size;
      break;
    case Code::key_type_inconsistent:
      failure.code = type;
      break;
    default:
      break;
  }
  return failure;
}

Error about_wrapping_key(Error failure) {
  return about_key(std::move(failure), Code::wrapping_key_handle_invalid, Code::wrapping_key_size_range,
                   Code::wrapping_key_type_inconsistent);
}

/// Whether the private half of a public key is on the same token or in the same session.
Result<bool> private_half_present(Session& session, const Object& key) {
  if (key.object_class() != CKO_PUBLIC_KEY) return false;
  Query query{AttributeSet{}, true};
  query.match.set_ulong(CKA_CLASS, CKO_PRIVATE_KEY);
  const CK_ATTRIBUTE_TYPE identifying = key.attributes.has(CKA_MODULUS) ? CKA_MODULUS : CKA_PUBLIC_KEY_INFO;
  query.match.set(identifying, key.attributes.get(identifying).value_or(ByteView{}));
  bool present = false;
  const auto note = [&](const ObjectPtr&) { present = true; };
  CARDEA_TRY(session.token().find(query, note));
  session.slot().session_objects().find(query, note);
  return present;
}

/// `preset` with the uses that Mechanism::unwrapped_keys_decrypt speaks of, as far as the template is about such a key.
Result<AttributeSet> with_decryption(AttributeSet preset, Template attributes) {
  CARDEA_ASSIGN(const AttributeSet given, search_template(attributes));
  const auto add = [&](CK_ATTRIBUTE_TYPE type, bool value) {
    if (!given.has(type) && !preset.has(type)) preset.set_bool(type, value);
  };
  if (given.get_ulong(CKA_CLASS, CKO_SECRET_KEY) != CKO_SECRET_KEY || !given.get_bool(CKA_UNWRAP)) return preset;
  add(CKA_DECRYPT, true);
  add(CKA_WRAP, false);
  return preset;
}

}  // namespace

Error about_unwrapping_key(Error failure) {
  failure = about_key(std::move(failure), Code::unwrapping_key_handle_invalid, Code::unwrapping_key_size_range,
                      Code::unwrapping_key_type_inconsistent);
  // What cannot be decrypted is, seen from here, a wrapped key that is wrong.
  switch (failure.code) {
    case Code::encrypted_data_invalid:
    case Code::aead_decrypt_failed:
    case Code::data_invalid:
      failure.code = Code::wrapped_key_invalid;
      break;
    case Code::encrypted_data_length:
    case Code::data_length:
      failure.code = Code::wrapped_key_length;
      break;
    default:
      break;
  }
  return failure;
}

Result<AttributeSet> template_of(const Object& key, CK_ATTRIBUTE_TYPE type) {
  return AttributeSet::parse(key.attributes.get(type).value_or(ByteView{}));
}

Status wrap_key(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key,
                std::optional<ByteView> associated_data, const OutputBuffer& wrapped) {
  CARDEA_TRY(wrapped.check());
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, CKF_WRAP));
  Result<KeyRef> wrapping = session.key_for(wrapping_key, CKA_WRAP, *chosen.mechanism);
  if (!wrapping) return about_wrapping_key(std::move(wrapping).error());
  Result<LocatedObject> target = session.object(key);
  if (!target) return Code::key_handle_invalid;
  const Object& object = *target->object;
  if (object.object_class() != CKO_SECRET_KEY && object.object_class() != CKO_PRIVATE_KEY) {
    return Code::key_not_wrappable;
  }
  CARDEA_ASSIGN(const bool private_half, private_half_present(session, *wrapping->object));
  const bool safe = chosen.mechanism->wraps_sensitive_keys(chosen.parameter, associated_data.has_value());
  CARDEA_TRY(may_wrap(object, *wrapping->object, safe, private_half));
  CARDEA_ASSIGN(const SecretAttributes secrets, session.secrets(*target));
  CARDEA_ASSIGN(const SecretBytes material, key_material(object.attributes, secrets));
  Result<Bytes> result = chosen.mechanism->wrap(*wrapping, chosen.parameter, material.view(), associated_data);
  if (!result) return about_wrapping_key(std::move(result).error());
  return wrapped.write(*result);
}

Result<CK_OBJECT_HANDLE> unwrap_key(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key,
                                    ByteView wrapped, Template attributes, std::optional<ByteView> associated_data) {
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, CKF_UNWRAP));
  Result<KeyRef> unwrapping = session.key_for(unwrapping_key, CKA_UNWRAP, *chosen.mechanism);
  if (!unwrapping) return about_unwrapping_key(std::move(unwrapping).error());
  const bool safe = chosen.mechanism->unwraps_authenticated(chosen.parameter, associated_data.has_value());
  CARDEA_TRY(may_unwrap(*unwrapping->object, safe));
  CARDEA_ASSIGN(AttributeSet preset, template_of(*unwrapping->object, CKA_UNWRAP_TEMPLATE));
  if (chosen.mechanism->unwrapped_keys_decrypt()) {
    CARDEA_ASSIGN(preset, with_decryption(std::move(preset), attributes));
  }
  CARDEA_ASSIGN(NewObject object, new_object(Origin::unwrap, attributes, preset, session.actor()));
  Result<SecretBytes> material = chosen.mechanism->unwrap(*unwrapping, chosen.parameter, wrapped, associated_data);
  if (!material) return about_unwrapping_key(std::move(material).error());
  CARDEA_TRY(set_key_material(object, std::move(*material)));
  const bool must_be_sensitive = unwraps_only_sensitive(*unwrapping->object);
  CARDEA_TRY(finish_key(object, Origin::unwrap, KeyFacts{.must_be_sensitive = must_be_sensitive}));
  return store_object(session, std::move(object));
}

}  // namespace cardea
