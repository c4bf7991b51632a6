#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <vector>

#include "session/ciphering.h"
#include "session/key_management.h"
#include "session/object_management.h"

namespace cardea {
namespace {

/// Puts a derived or agreed value where the object's class keeps it.
void set_value(NewObject& object, SecretBytes value) {
  const CK_OBJECT_CLASS object_class = object.attributes.get_ulong(CKA_CLASS, CKO_SECRET_KEY);
  if (is_secret_attribute(object_class, CKA_VALUE, object.attributes.get_bool(CKA_PRIVATE))) {
    object.secrets.insert_or_assign(CKA_VALUE, std::move(value));
  } else {
    object.attributes.set(CKA_VALUE, value.view());
  }
}

/// A number out of a template, whose values may lie anywhere, aligned or not.
std::optional<CK_ULONG> number_in(Template attributes, CK_ATTRIBUTE_TYPE type) {
  for (const CK_ATTRIBUTE& attribute : attributes) {
    if (attribute.type != type) continue;
    CK_ULONG value = 0;
    if (attribute.pValue == nullptr || attribute.ulValueLen != sizeof value) return std::nullopt;
    std::memcpy(&value, attribute.pValue, sizeof value);
    return value;
  }
  return std::nullopt;
}

/// A template that is silent about class and type asks for a generic secret (PKCS#11 3.2, 5.18.5).
AttributeSet with_secret_key_defaults(AttributeSet preset, Template attributes) {
  const auto given = [&](CK_ATTRIBUTE_TYPE type) {
    return preset.has(type) || std::any_of(attributes.begin(), attributes.end(),
                                           [&](const CK_ATTRIBUTE& each) { return each.type == type; });
  };
  const bool data = number_in(attributes, CKA_CLASS) == CK_ULONG{CKO_DATA};
  if (!given(CKA_CLASS)) preset.set_ulong(CKA_CLASS, CKO_SECRET_KEY);
  if (!data && !given(CKA_KEY_TYPE)) preset.set_ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  return preset;
}

DeriveRequest request_of(const AttributeSet& attributes) {
  DeriveRequest request;
  request.object_class = attributes.get_ulong(CKA_CLASS, CKO_SECRET_KEY);
  request.key_type = attributes.get_ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  if (const auto length = attributes.get_ulong(CKA_VALUE_LEN)) request.length = *length;
  return request;
}

/// The session's side of a derivation. Keys made along the way are taken back unless commit() is said.
class SessionDeriveHost final : public DeriveHost {
 public:
  SessionDeriveHost(Session& session, const Mechanism& mechanism, const Object& base)
      : session_(session), mechanism_(mechanism), base_(base), facts_(derived_facts(mechanism.type(), base)) {}
  ~SessionDeriveHost() override {
    for (const CK_OBJECT_HANDLE handle : made_) take_back(session_, handle);
  }
  SessionDeriveHost(const SessionDeriveHost&) = delete;
  SessionDeriveHost& operator=(const SessionDeriveHost&) = delete;

  const KeyFacts& facts() const noexcept { return facts_; }
  void commit() noexcept { made_.clear(); }

  Result<KeyRef> source_key(CK_OBJECT_HANDLE handle) override {
    CARDEA_ASSIGN(KeyRef key, session_.key_for(handle, CKA_DERIVE, mechanism_));
    add_source(facts_, *key.object);
    return key;
  }

  Status create_key(SecretBytes value, const CK_ATTRIBUTE* attributes, CK_ULONG count,
                    CK_OBJECT_HANDLE* handle) override {
    if (handle == nullptr || (attributes == nullptr && count != 0)) return Code::mechanism_param_invalid;
    if (count > template_limit) return Code::template_inconsistent;
    return make(std::move(value), Template{attributes, count}, handle);
  }

  Status create_tls_key(SecretBytes value, bool mac_key, CK_OBJECT_HANDLE* handle) override {
    // RFC 5246 keys: a MAC key signs and verifies, the others encrypt and decrypt (PKCS#11 3.2, 6.34.5).
    CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = mac_key ? CKK_GENERIC_SECRET : CKK_AES;
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG length = value.size();
    const CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &object_class, sizeof object_class},
                                       {CKA_KEY_TYPE, &type, sizeof type},
                                       {CKA_VALUE_LEN, &length, sizeof length},
                                       {mac_key ? CKA_SIGN : CKA_ENCRYPT, &yes, sizeof yes},
                                       {mac_key ? CKA_VERIFY : CKA_DECRYPT, &yes, sizeof yes}};
    return make(std::move(value), attributes, handle);
  }

 private:
  Status make(SecretBytes value, Template attributes, CK_OBJECT_HANDLE* handle) {
    CARDEA_ASSIGN(const AttributeSet preset, template_of(base_, CKA_DERIVE_TEMPLATE));
    CARDEA_ASSIGN(NewObject object, new_object(Origin::derive, attributes, with_secret_key_defaults(preset, attributes),
                                               session_.actor()));
    set_value(object, std::move(value));
    CARDEA_TRY(finish_key(object, Origin::derive, facts_));
    CARDEA_ASSIGN(*handle, store_object(session_, std::move(object)));
    made_.push_back(*handle);
    return {};
  }

  Session& session_;
  const Mechanism& mechanism_;
  const Object& base_;
  KeyFacts facts_;
  std::vector<CK_OBJECT_HANDLE> made_;
};

/// Derived data have their length in CKA_VALUE_LEN as derived keys do (PKCS#11 3.2, "HKDF Data"), but a data object has
/// no such attribute: it is taken out of the template.
class DataLength {
 public:
  explicit DataLength(Template wanted) : attributes_(wanted) {
    if (number_in(wanted, CKA_CLASS) != CK_ULONG{CKO_DATA}) return;
    length_ = number_in(wanted, CKA_VALUE_LEN);
    if (!length_) return;
    std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(kept_),
                 [](const CK_ATTRIBUTE& attribute) { return attribute.type != CKA_VALUE_LEN; });
    attributes_ = kept_;
  }
  Template attributes() const { return attributes_; }
  DeriveRequest in(DeriveRequest request) const {
    if (length_) request.length = *length_;
    return request;
  }

 private:
  Template attributes_;
  std::vector<CK_ATTRIBUTE> kept_;
  std::optional<CK_ULONG> length_;
};

}  // namespace

Result<CK_OBJECT_HANDLE> derive_key(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                                    Template wanted, bool wants_key) {
  const DataLength data(wanted);
  const Template attributes = data.attributes();
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, CKF_DERIVE));
  CARDEA_ASSIGN(const KeyRef base, session.key_for(base_key, CKA_DERIVE, *chosen.mechanism));
  CARDEA_ASSIGN(AttributeSet preset, template_of(*base.object, CKA_DERIVE_TEMPLATE));
  CARDEA_ASSIGN(NewObject object, new_object(Origin::derive, attributes,
                                             with_secret_key_defaults(std::move(preset), attributes), session.actor()));
  SessionDeriveHost host(session, *chosen.mechanism, *base.object);
  CARDEA_ASSIGN(DerivedValue value,
                chosen.mechanism->derive(base, chosen.parameter, data.in(request_of(object.attributes)), host));
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  if (value) {
    if (!wants_key) return Code::arguments_bad;
    set_value(object, std::move(*value));
    CARDEA_TRY(finish_key(object, Origin::derive, host.facts()));
    CARDEA_ASSIGN(handle, store_object(session, std::move(object)));
  }
  host.commit();
  return handle;
}

namespace {

Result<CK_OBJECT_HANDLE> store_shared_secret(Session& session, NewObject object, SecretBytes secret) {
  // CKA_VALUE_LEN asks for the leading bytes of the shared secret, as it does for key agreement.
  if (const auto length = object.attributes.get_ulong(CKA_VALUE_LEN)) {
    if (*length == 0 || *length > secret.size()) return Code::template_inconsistent;
    secret.truncate(*length);
  }
  set_value(object, std::move(secret));
  CARDEA_TRY(finish_key(object, Origin::unwrap, KeyFacts{}));
  return store_object(session, std::move(object));
}

Result<NewObject> shared_secret_object(Session& session, AttributeSet preset, Template attributes) {
  return new_object(Origin::derive, attributes, with_secret_key_defaults(std::move(preset), attributes),
                    session.actor());
}

/// Whether the caller asks for something else than the key's own template fixes.
Result<bool> contradicts(Template attributes, const AttributeSet& fixed) {
  CARDEA_ASSIGN(const AttributeSet given, search_template(attributes));
  bool found = false;
  fixed.for_each([&](const AttributeSet::Entry& entry) {
    const auto asked = given.get(entry.type);
    found = found || (asked && !same_bytes(*asked, entry.value));
  });
  return found;
}

}  // namespace

Status encapsulate_key(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE public_key,
                       Template attributes, const OutputBuffer& ciphertext, CK_OBJECT_HANDLE* key) {
  CARDEA_TRY(ciphertext.check());
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, CKF_ENCAPSULATE));
  CARDEA_ASSIGN(const KeyRef reference, session.key_for(public_key, CKA_ENCAPSULATE, *chosen.mechanism));
  const std::size_t size = chosen.mechanism->ciphertext_size(reference);
  if (ciphertext.size_query() || ciphertext.capacity() < size) {
    const bool query = ciphertext.size_query();
    ciphertext.set_length(size);
    return query ? Status{} : Status{Code::buffer_too_small};
  }
  CARDEA_ASSIGN(AttributeSet fixed, template_of(*reference.object, CKA_ENCAPSULATE_TEMPLATE));
  CARDEA_ASSIGN(const bool conflict, contradicts(attributes, fixed));
  if (conflict) return error(Code::key_handle_invalid, "the new key does not fit CKA_ENCAPSULATE_TEMPLATE");
  CARDEA_ASSIGN(NewObject object, shared_secret_object(session, std::move(fixed), attributes));
  CARDEA_ASSIGN(Encapsulated result, chosen.mechanism->encapsulate(reference, chosen.parameter));
  CARDEA_ASSIGN(*key, store_shared_secret(session, std::move(object), std::move(result.shared_secret)));
  return ciphertext.write(result.ciphertext);
}

Result<CK_OBJECT_HANDLE> decapsulate_key(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE private_key,
                                         Template attributes, ByteView ciphertext) {
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, CKF_DECAPSULATE));
  Result<KeyRef> reference = session.key_for(private_key, CKA_DECAPSULATE, *chosen.mechanism);
  if (!reference) return about_unwrapping_key(std::move(reference).error());
  CARDEA_ASSIGN(AttributeSet fixed, template_of(*reference->object, CKA_DECAPSULATE_TEMPLATE));
  CARDEA_ASSIGN(NewObject object, shared_secret_object(session, std::move(fixed), attributes));
  Result<SecretBytes> secret = chosen.mechanism->decapsulate(*reference, chosen.parameter, ciphertext);
  if (!secret) return about_unwrapping_key(std::move(secret).error());
  return store_shared_secret(session, std::move(object), std::move(*secret));
}

}  // namespace cardea
