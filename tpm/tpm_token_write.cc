// Keys, certificates and data objects that TpmToken makes, changes and destroys.
#include <algorithm>
#include <array>

#include "crypto/key_encoding.h"
#include "token/key_attributes.h"
#include "token/object_rules.h"
#include "tpm/tpm_token.h"

namespace cardea::tpm {
namespace {

/// What a template asks of the TPM. Which sizes and curves it has, is asked separately.
Result<KeyTemplate> template_of(CK_MECHANISM_TYPE mechanism, const AttributeSet& public_template) {
  KeyTemplate wanted;
  switch (mechanism) {
    case CKM_RSA_PKCS_KEY_PAIR_GEN: {
      wanted.bits = public_template.get_ulong(CKA_MODULUS_BITS, 0);
      ByteView exponent = public_template.get(CKA_PUBLIC_EXPONENT).value_or(ByteView{});
      while (!exponent.empty() && exponent.front() == 0) exponent = exponent.subspan(1);
      constexpr std::array<Byte, 3> usual{1, 0, 1};
      if (exponent.empty() || same_bytes(exponent, usual)) return wanted;
      return error(Code::attribute_value_invalid, "the public exponent of keys in the TPM is 65537");
    }
    case CKM_EC_KEY_PAIR_GEN: {
      CARDEA_ASSIGN(wanted.algorithm, algorithm_of(CKK_EC, public_template));
      return wanted;
    }
    default:
      return Code::curve_not_supported;
  }
}

Status is_among(const Capabilities& has, const KeyTemplate& wanted) {
  if (wanted.algorithm == crypto::KeyAlgorithm::rsa) {
    if (std::find(has.rsa_bits.begin(), has.rsa_bits.end(), wanted.bits) != has.rsa_bits.end()) return {};
    return error(Code::key_size_range, "the TPM makes no RSA keys of " + std::to_string(wanted.bits) + " bits");
  }
  if (std::find(has.curves.begin(), has.curves.end(), wanted.algorithm) != has.curves.end()) return {};
  return error(Code::curve_not_supported, "the TPM does not have this curve");
}

/// A key's value is in the TPM: a session object that is a copy would have none. Clients that like to work with copies
/// (pkcs11-provider) ask for this attribute and go on with the key itself.
void forbid_copies(AttributeSet& private_key) {
  private_key.set_bool(CKA_COPYABLE, false);
}

}  // namespace

/// A seal where there is something to protect, made with the present login. user_not_logged_in when there is none.
Status TpmToken::seal(StoredObject& object, const LoginPtr& login, ByteView value) const {
  const AttributeSet& attributes = object.object->attributes;
  object.seal.clear();
  if (!attributes.get_bool(CKA_PRIVATE) && !attributes.get_bool(CKA_TRUSTED)) return {};
  if (!login) return Code::user_not_logged_in;
  CARDEA_ASSIGN(object.seal, seal_object(login->keys.seal_key, serial_, object, value));
  return {};
}

bool TpmToken::generates(CK_MECHANISM_TYPE mechanism) const {
  // Also what no TPM has: a key that is to be in the TPM is never made beside it unasked.
  return mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN || mechanism == CKM_EC_KEY_PAIR_GEN ||
         mechanism == CKM_EC_EDWARDS_KEY_PAIR_GEN || mechanism == CKM_EC_MONTGOMERY_KEY_PAIR_GEN;
}

/// Whether this TPM has such keys.
Status TpmToken::check_capabilities(TpmAccess& access, const KeyTemplate& wanted) {
  CARDEA_ASSIGN(const Capabilities has, find_capabilities(access));
  return is_among(has, wanted);
}

Result<Blob> TpmToken::make_key(CK_MECHANISM_TYPE mechanism, const AttributeSet& public_template, const Login& login) {
  CARDEA_ASSIGN(const KeyTemplate wanted, template_of(mechanism, public_template));
  const CardDescription description = card();
  Blob blob;
  CARDEA_TRY(tpm_->run([&](TpmAccess& access) -> Status {
    CARDEA_TRY(check_capabilities(access, wanted));
    CARDEA_ASSIGN(const Loaded* const parent, storage_key(*tpm_, access, description));
    CARDEA_ASSIGN(blob, access.connection.create_key(*parent, wanted, login.keys.key_auth));
    return {};
  }));
  return blob;
}

Result<std::vector<ObjectPtr>> TpmToken::generate(CK_MECHANISM_TYPE mechanism, const AttributeSet& public_template,
                                                  const AttributeSet& private_template) {
  CARDEA_ASSIGN(const LoginPtr login, user_login());
  if (!contents_.file().writable()) return Code::token_write_protected;
  CARDEA_TRY(may_store(private_template));
  CARDEA_TRY(may_store(public_template));
  CARDEA_ASSIGN(Blob blob, make_key(mechanism, public_template, *login));
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, TpmConnection::public_key(blob));
  NewObject halves[] = {{public_template, {}}, {private_template, {}}};
  for (NewObject& half : halves) {
    CARDEA_TRY(describe_public(*key, half.attributes));
    CARDEA_TRY(finish_key(half, Origin::generate, KeyFacts{.local = true, .mechanism = mechanism}));
  }
  return store_pair(std::move(halves[0]), std::move(halves[1]), std::move(blob), login);
}

/// Writes both halves of a key pair, which describe_public and finish_key have completed.
Result<std::vector<ObjectPtr>> TpmToken::store_pair(NewObject public_half, NewObject private_half, Blob blob,
                                                    const LoginPtr& login) {
  private_half.attributes.erase(CKA_MODULUS_BITS);
  private_half.attributes.erase(CKA_EC_POINT);
  forbid_copies(private_half.attributes);
  std::vector<ObjectPtr> made;
  CARDEA_TRY(contents_.write([&](CardWriter& writer) -> Status {
    CARDEA_ASSIGN(ObjectId id, writer.next_ids(2));
    for (NewObject* const half : {&public_half, &private_half}) {
      StoredObject stored{std::make_shared<const Object>(Object{id++, std::move(half->attributes)}), {}, {}};
      if (stored.object->object_class() == CKO_PRIVATE_KEY) stored.key = std::move(blob);
      CARDEA_TRY(seal(stored, login, {}));
      CARDEA_TRY(writer.insert(stored));
      made.push_back(stored.object);
    }
    return {};
  }));
  return made;
}

/// What such a card keeps.
Status TpmToken::may_store(const AttributeSet& attributes) const {
  switch (attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED)) {
    case CKO_PRIVATE_KEY:
      if (!attributes.get_bool(CKA_PRIVATE)) {
        return error(Code::template_inconsistent, "keys in the TPM are used with the PIN, so CKA_PRIVATE is true");
      }
      if (attributes.get_bool(CKA_EXTRACTABLE) || !attributes.get_bool(CKA_SENSITIVE)) {
        return error(Code::template_inconsistent, "keys never leave the TPM");
      }
      return {};
    case CKO_CERTIFICATE:
    case CKO_PUBLIC_KEY:
    case CKO_DATA:
      return {};
    default:
      return error(Code::template_inconsistent, "a virtual card keeps no secret keys and no objects of this class");
  }
}

Result<Blob> TpmToken::import_key(const NewObject& object) {
  CARDEA_ASSIGN(const LoginPtr login, user_login());
  if (!contents_.file().writable()) return Code::token_write_protected;
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, private_key(object.attributes, object.secrets, /*checked=*/true));
  const CardDescription description = card();
  Blob blob;
  CARDEA_TRY(tpm_->run([&](TpmAccess& access) -> Status {
    CARDEA_TRY(check_capabilities(access, {.algorithm = key->algorithm(), .bits = key->size()}));
    CARDEA_ASSIGN(const Loaded* const parent, storage_key(*tpm_, access, description));
    CARDEA_ASSIGN(blob, access.connection.import_key(*parent, *key, login->keys.key_auth));
    return {};
  }));
  return blob;
}

/// What a private key object needs in the TPM; nothing for other objects.
Result<std::optional<Blob>> TpmToken::key_for(const NewObject& object) {
  if (object.attributes.get_ulong(CKA_CLASS) != CKO_PRIVATE_KEY) return std::optional<Blob>();
  if (object.secrets.empty()) return error(Code::template_incomplete, "the private key has no value");
  CARDEA_ASSIGN(Blob imported, import_key(object));
  return std::optional<Blob>(std::move(imported));
}

Result<std::vector<ObjectPtr>> TpmToken::create(std::vector<NewObject> objects) {
  CARDEA_TRY(contents_.refresh());
  std::vector<StoredObject> fresh(objects.size());
  for (std::size_t i = 0; i < objects.size(); ++i) {
    CARDEA_TRY(may_store(objects[i].attributes));
    CARDEA_ASSIGN(fresh[i].key, key_for(objects[i]));
    if (fresh[i].key) forbid_copies(objects[i].attributes);
  }
  const LoginPtr login = present_login();
  std::vector<ObjectPtr> created;
  CARDEA_TRY(contents_.write([&](CardWriter& writer) -> Status {
    CARDEA_ASSIGN(const ObjectId first, writer.next_ids(objects.size()));
    for (std::size_t i = 0; i < objects.size(); ++i) {
      fresh[i].object = std::make_shared<const Object>(Object{first + i, std::move(objects[i].attributes)});
      const auto value = objects[i].secrets.find(CKA_VALUE);
      const bool secret = fresh[i].object->object_class() == CKO_DATA && value != objects[i].secrets.end();
      CARDEA_TRY(seal(fresh[i], login, secret ? value->second.view() : ByteView{}));
      CARDEA_TRY(writer.insert(fresh[i]));
      created.push_back(fresh[i].object);
    }
    return {};
  }));
  return created;
}

Result<ObjectPtr> TpmToken::replace(ObjectId id, const AttributeSet& attributes) {
  CARDEA_ASSIGN(StoredObject object, stored(id));
  const LoginPtr login = present_login();
  SecretBytes value;
  if (object.object->is_private()) {
    if (!login) return Code::user_not_logged_in;
    CARDEA_ASSIGN(value, open_object(login->keys.seal_key, serial_, object));
  }
  object.object = std::make_shared<const Object>(Object{id, attributes});
  CARDEA_TRY(seal(object, login, value.view()));
  CARDEA_TRY(contents_.write([&](CardWriter& writer) { return writer.update(object); }));
  return object.object;
}

Status TpmToken::destroy(ObjectId id) {
  CARDEA_TRY(contents_.write([&](CardWriter& writer) { return writer.remove(id); }));
  // A key that is gone from the card is gone from the TPM as well; it holds no other copy of it.
  tpm_->tidy([&](TpmAccess& access) { access.keys.drop(loaded_name(id)); });
  return {};
}

}  // namespace cardea::tpm
