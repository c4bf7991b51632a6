#include "session/ciphering.h"
#include "session/key_management.h"
#include "session/object_management.h"

namespace cardea {
namespace {

/// What the call fixes of a generated key's template.
AttributeSet generated_preset(const Mechanism& mechanism, CK_OBJECT_CLASS object_class) {
  AttributeSet preset;
  preset.set_ulong(CKA_CLASS, object_class);
  if (mechanism.generated_key_type() != CK_UNAVAILABLE_INFORMATION) {
    preset.set_ulong(CKA_KEY_TYPE, mechanism.generated_key_type());
  }
  return preset;
}

void merge(AttributeSet& attributes, const AttributeSet& additions) {
  additions.for_each([&](const AttributeSet::Entry& entry) { attributes.set(entry.type, entry.value); });
}

}  // namespace

Result<CK_OBJECT_HANDLE> generate_key(Session& session, const CK_MECHANISM* mechanism, Template attributes) {
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, CKF_GENERATE));
  CARDEA_ASSIGN(NewObject object, new_object(Origin::generate, attributes,
                                             generated_preset(*chosen.mechanism, CKO_SECRET_KEY), session.actor()));
  CARDEA_ASSIGN(SecretBytes value, chosen.mechanism->generate_key(chosen.parameter, object.attributes));
  object.secrets.insert_or_assign(CKA_VALUE, std::move(value));
  CARDEA_TRY(finish_key(object, Origin::generate, KeyFacts{.local = true, .mechanism = chosen.mechanism->type()}));
  return store_object(session, std::move(object));
}

Result<KeyPairHandles> generate_key_pair(Session& session, const CK_MECHANISM* mechanism, Template public_attributes,
                                         Template private_attributes) {
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, CKF_GENERATE_KEY_PAIR));
  const Actor actor = session.actor();
  CARDEA_ASSIGN(NewObject public_key, new_object(Origin::generate, public_attributes,
                                                 generated_preset(*chosen.mechanism, CKO_PUBLIC_KEY), actor));
  CARDEA_ASSIGN(NewObject private_key, new_object(Origin::generate, private_attributes,
                                                  generated_preset(*chosen.mechanism, CKO_PRIVATE_KEY), actor));
  KeyGenerator* const on_token = session.token().key_generator();
  if (on_token != nullptr && private_key.attributes.get_bool(CKA_TOKEN) &&
      on_token->generates(chosen.mechanism->type())) {
    CARDEA_ASSIGN(const std::vector<ObjectPtr> pair,
                  on_token->generate(chosen.mechanism->type(), public_key.attributes, private_key.attributes));
    return KeyPairHandles{session.handle_of(*pair[0], Residence::token), session.handle_of(*pair[1], Residence::token)};
  }
  CARDEA_ASSIGN(GeneratedPair pair,
                chosen.mechanism->generate_key_pair(chosen.parameter, public_key.attributes, private_key.attributes));
  merge(public_key.attributes, pair.public_attributes);
  merge(private_key.attributes, pair.private_attributes);
  private_key.secrets = std::move(pair.private_secrets);
  const KeyFacts facts{.local = true, .mechanism = chosen.mechanism->type()};
  CARDEA_TRY(finish_key(public_key, Origin::generate, facts));
  CARDEA_TRY(finish_key(private_key, Origin::generate, facts));
  std::vector<NewObject> both;
  both.push_back(std::move(public_key));
  both.push_back(std::move(private_key));
  CARDEA_ASSIGN(const std::vector<CK_OBJECT_HANDLE> handles, store_objects(session, std::move(both)));
  return KeyPairHandles{handles[0], handles[1]};
}

}  // namespace cardea
