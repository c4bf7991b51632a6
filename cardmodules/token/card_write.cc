// Keys, certificates and files that CardToken writes to its card.
#include <algorithm>

#include "cards/card_token.h"
#include "cards/private_files.h"
#include "crypto/certificate.h"
#include "crypto/key_encoding.h"
#include "token/key_attributes.h"
#include "token/key_material.h"

namespace cardea::card {
namespace {

constexpr std::size_t largest_key_file = 4096;

Result<SecretBytes> key_from_file(const std::filesystem::path& file) {
  std::optional<Bytes> text = read_private_file(file, largest_key_file);
  if (!text) {
    return error(Code::user_not_logged_in,
                 file.string() + ", which should hold the administrator's key, cannot be read or is another user's");
  }
  std::string_view digits = text_of(*text);
  digits = digits.substr(0, digits.find_last_not_of(" \t\r\n") + 1);
  Bytes key;
  const bool right = from_hex(digits, key) && !key.empty();
  SecretBytes secret(key);
  wipe(key);
  wipe(*text);
  if (!right) return error(Code::user_not_logged_in, file.string() + " does not hold a key in hexadecimal digits");
  return secret;
}

/// The algorithm and size that a key pair's public template asks for.
Result<KeyRequest> request_of(CK_MECHANISM_TYPE mechanism, const AttributeSet& public_template,
                              const AttributeSet& private_template) {
  KeyRequest request;
  const auto with_type = [&](CK_KEY_TYPE type) -> Status {
    CARDEA_ASSIGN(request.algorithm, algorithm_of(type, public_template));
    return {};
  };
  switch (mechanism) {
    case CKM_RSA_PKCS_KEY_PAIR_GEN:
      request.algorithm = crypto::KeyAlgorithm::rsa;
      request.bits = public_template.get_ulong(CKA_MODULUS_BITS, 0);
      break;
    case CKM_EC_KEY_PAIR_GEN:
      CARDEA_TRY(with_type(CKK_EC));
      break;
    case CKM_EC_EDWARDS_KEY_PAIR_GEN:
      CARDEA_TRY(with_type(CKK_EC_EDWARDS));
      break;
    case CKM_EC_MONTGOMERY_KEY_PAIR_GEN:
      CARDEA_TRY(with_type(CKK_EC_MONTGOMERY));
      break;
    default:
      return Code::mechanism_invalid;
  }
  if (private_template.get_bool(CKA_ALWAYS_AUTHENTICATE)) request.pin = PinPolicy::always;
  return request;
}

/// What a new key can do, for cards that tell only with its certificate.
Container new_container(const ContainerPlace& place, const crypto::AsymmetricKey& key, Bytes key_info) {
  Container container;
  container.place = place;
  container.has_key = true;
  container.local = true;
  container.public_key = std::move(key_info);
  switch (key.facts().family) {
    case crypto::KeyFamily::rsa:
      container.primitives = static_cast<Primitives>(Primitive::rsa_raw);
      container.signs = container.decrypts = true;
      break;
    case crypto::KeyFamily::ec:
      container.primitives = Primitive::ecdsa_sign | Primitive::ecdh;
      container.signs = container.derives = true;
      break;
    case crypto::KeyFamily::edwards:
      container.primitives = static_cast<Primitives>(Primitive::eddsa_sign);
      container.signs = true;
      break;
    default:
      container.primitives = static_cast<Primitives>(Primitive::ecdh);
      container.derives = true;
      break;
  }
  return container;
}

Error no_such_place() {
  return error(Code::attribute_value_invalid, "the card has no place for a key with this CKA_ID");
}

}  // namespace

/// Finds whose rights writing takes, and fetches the administrator's key where the configuration names one.
Status CardToken::prepare_writing(Need& need) {
  const Role role = role_.load(std::memory_order_acquire);
  need = Need::administrator;
  if (role == Role::security_officer) return {};
  if (role != Role::user) return Code::user_not_logged_in;
  if (known_.read([](const Known& known) { return known.card.description.user_writes; })) {
    need = Need::user;
    return {};
  }
  if (!settings_.card.admin_key_file.empty()) {
    CARDEA_ASSIGN(SecretBytes key, key_from_file(settings_.card.admin_key_file));
    access_->lend_administrator_key(std::move(key));
  } else if (settings_.card.factory_admin_key) {
    access_->lend_administrator_key({});
  }
  return {};
}

Status CardToken::write(const std::function<Status(CardAdministrator&, CardTransaction&)>& work) {
  Need need{};
  CARDEA_TRY(prepare_writing(need));
  return access_->run(need, [&](CardModule& module, CardTransaction& transaction) -> Status {
    CardAdministrator* const administrator = module.administrator();
    if (administrator == nullptr) return Code::token_write_protected;
    return work(*administrator, transaction);
  });
}

/// Where a new key goes: the place that CKA_ID names, else the first free one that asks for the PIN as often as the
/// template says. Nobody gets a key by chance that works without a PIN, or that wants it every time.
Result<ContainerPlace> CardToken::place_for_new_key(const AttributeSet& attributes) {
  const ByteView id = attributes.get(CKA_ID).value_or(ByteView{});
  const PinPolicy wanted = attributes.get_bool(CKA_ALWAYS_AUTHENTICATE) ? PinPolicy::always : PinPolicy::once;
  CARDEA_ASSIGN(std::vector<ContainerPlace> all, places());
  for (ContainerPlace& place : all) {
    if (id.empty() ? place.pin != wanted : !same_bytes(id, place.id)) continue;
    CARDEA_ASSIGN(const std::optional<Container> present, container_at(place.index));
    if (present && present->has_key) {
      if (id.empty()) continue;
      return error(Code::exists, "there is a key in \"" + place.label + "\"; destroy it first");
    }
    if (place.label.empty()) place.label = text_of(attributes.get(CKA_LABEL).value_or(ByteView{}));
    return std::move(place);
  }
  if (id.empty()) return error(Code::device_memory, "every place for a key on the card is taken");
  return no_such_place();
}

/// Where a certificate goes: the place that CKA_ID names, else that of the key it is for.
Result<ContainerPlace> CardToken::place_for_certificate(const AttributeSet& attributes) {
  const ByteView id = attributes.get(CKA_ID).value_or(ByteView{});
  const auto parts = crypto::certificate_parts(attributes.get(CKA_VALUE).value_or(ByteView{}));
  if (!parts) return error(Code::attribute_value_invalid, "CKA_VALUE is no certificate");
  CARDEA_ASSIGN(const std::vector<ContainerPlace> all, places());
  for (const ContainerPlace& place : all) {
    if (!id.empty()) {
      if (same_bytes(id, place.id)) return place;
      continue;
    }
    CARDEA_ASSIGN(const std::optional<Container> present, container_at(place.index));
    if (present && same_bytes(key_info_of(*present), parts->key_info)) return place;
  }
  return no_such_place();
}

Status CardToken::renew(const ContainerPlace& place, bool new_key, ByteView public_key) {
  known_.with([&](Known& known) {
    known.card.containers.erase(place.index);
    known.card.places.reset();  // names of containers may be new
    known.numbers.retire({Part::certificate, place.index});
    if (!new_key) return;
    known.numbers.retire({Part::private_key, place.index});
    known.numbers.retire({Part::public_key, place.index});
  });
  CARDEA_ASSIGN(std::optional<Container> container, container_at(place.index));
  // A card without a directory of keys shows one only with its certificate; this process knows better for now.
  if (!public_key.empty() && (!container || !container->has_key || key_info_of(*container).empty())) {
    CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(public_key));
    known_.with(
        [&](Known& known) { known.card.containers[place.index] = new_container(place, *key, to_bytes(public_key)); });
  }
  contents_changed();
  return {};
}

bool CardToken::generates(CK_MECHANISM_TYPE mechanism) const {
  // Also where the card cannot: a key that is to be on the card is never made beside it unasked.
  return mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN || mechanism == CKM_EC_KEY_PAIR_GEN ||
         mechanism == CKM_EC_EDWARDS_KEY_PAIR_GEN || mechanism == CKM_EC_MONTGOMERY_KEY_PAIR_GEN;
}

Result<std::vector<ObjectPtr>> CardToken::generate(CK_MECHANISM_TYPE mechanism, const AttributeSet& public_template,
                                                   const AttributeSet& private_template) {
  if (!known_.read([](const Known& known) { return known.card.description.can_generate; })) {
    return error(Code::token_write_protected, "the card generates no keys");
  }
  CARDEA_ASSIGN(const KeyRequest request, request_of(mechanism, public_template, private_template));
  const bool named = !private_template.get(CKA_ID).value_or(ByteView{}).empty();
  AttributeSet naming = private_template;
  if (!named) naming.set(CKA_ID, public_template.get(CKA_ID).value_or(ByteView{}));
  CARDEA_ASSIGN(const ContainerPlace place, place_for_new_key(naming));
  Bytes public_key;
  CARDEA_TRY(write([&](CardAdministrator& administrator, CardTransaction& transaction) -> Status {
    CARDEA_ASSIGN(public_key, administrator.generate(transaction, place, request));
    return {};
  }));
  CARDEA_TRY(renew(place, true, public_key));
  CARDEA_ASSIGN(ObjectPtr public_half, object_of({Part::public_key, place.index}));
  CARDEA_ASSIGN(ObjectPtr private_half, object_of({Part::private_key, place.index}));
  return std::vector<ObjectPtr>{std::move(public_half), std::move(private_half)};
}

Result<ObjectPtr> CardToken::import_key(const NewObject& object) {
  if (!known_.read([](const Known& known) { return known.card.description.can_import; })) {
    return error(Code::token_write_protected, "the card takes no keys that were made elsewhere");
  }
  CARDEA_ASSIGN(const SecretBytes pkcs8, key_material(object.attributes, object.secrets));
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_private_key_info(pkcs8.view()));
  KeyRequest request{.algorithm = key->algorithm(), .bits = 0, .pin = {}, .touch = {}};
  if (request.algorithm == crypto::KeyAlgorithm::rsa) request.bits = key->size();
  if (object.attributes.get_bool(CKA_ALWAYS_AUTHENTICATE)) request.pin = PinPolicy::always;
  CARDEA_ASSIGN(const ContainerPlace place, place_for_new_key(object.attributes));
  CARDEA_TRY(write([&](CardAdministrator& administrator, CardTransaction& transaction) {
    return administrator.import_key(transaction, place, pkcs8, request);
  }));
  CARDEA_ASSIGN(const Bytes public_key, crypto::subject_public_key_info(*key));
  CARDEA_TRY(renew(place, true, public_key));
  known_.with([&](Known& known) {
    std::optional<Container>& container = known.card.containers[place.index];
    if (container) container->local = false;
  });
  return object_of({Part::private_key, place.index});
}

Result<ObjectPtr> CardToken::store_certificate(const AttributeSet& attributes) {
  CARDEA_ASSIGN(const ContainerPlace place, place_for_certificate(attributes));
  const ByteView der = attributes.get(CKA_VALUE).value_or(ByteView{});
  CARDEA_ASSIGN(const std::optional<Container> present, container_at(place.index));
  const Bytes key = present && present->has_key ? key_info_of(*present) : Bytes{};
  CARDEA_TRY(write([&](CardAdministrator& administrator, CardTransaction& transaction) {
    return administrator.write_certificate(transaction, place, der);
  }));
  CARDEA_TRY(renew(place, false, key));
  return object_of({Part::certificate, place.index});
}

Result<ObjectPtr> CardToken::store_file(const NewObject& object) {
  const auto same = [&](CK_ATTRIBUTE_TYPE type, ByteView value) {
    const ByteView wanted = object.attributes.get(type).value_or(ByteView{});
    return wanted.empty() || same_bytes(wanted, value);
  };
  std::optional<std::vector<FileEntry>> files = known_.read([](const Known& known) { return known.card.files; });
  if (!files) {
    CARDEA_TRY(access_->run_selected([&](CardModule& module, CardTransaction& transaction) -> Status {
      CARDEA_ASSIGN(files, module.files(transaction));
      return {};
    }));
    known_.with([&](Known& known) { known.card.files = files; });
  }
  const auto file = std::find_if(files->begin(), files->end(), [&](const FileEntry& entry) {
    return same(CKA_LABEL, view_of(entry.name)) && same(CKA_APPLICATION, view_of(entry.application)) &&
           same(CKA_OBJECT_ID, entry.object_id);
  });
  if (file == files->end()) return error(Code::attribute_value_invalid, "the card has no data object of this name");
  if (!file->writable) return Code::token_write_protected;
  const auto secret = object.secrets.find(CKA_VALUE);
  const ByteView value =
      secret != object.secrets.end() ? secret->second.view() : object.attributes.get(CKA_VALUE).value_or(ByteView{});
  CARDEA_TRY(write([&](CardAdministrator& administrator, CardTransaction& transaction) {
    return administrator.write_file(transaction, *file, value);
  }));
  known_.with([&](Known& known) {
    known.card.file_states[file->reference] = FileState{true, std::nullopt};
    known.numbers.retire({Part::file, file->reference});
  });
  contents_changed();
  return object_of({Part::file, file->reference});
}

/// Public keys are no objects of their own on cards; one that is there already may be "created" beside its private key.
Result<ObjectPtr> CardToken::find_public_key(const AttributeSet& attributes) {
  const ByteView info = attributes.get(CKA_PUBLIC_KEY_INFO).value_or(ByteView{});
  const auto index = known_.read([&](const Known& known) -> std::optional<std::uint32_t> {
    for (const auto& [place, container] : known.card.containers) {
      if (container && same_bytes(key_info_of(*container), info)) return place;
    }
    return std::nullopt;
  });
  if (!index) return error(Code::template_inconsistent, "the card keeps public keys only beside their private keys");
  return object_of({Part::public_key, *index});
}

Result<ObjectPtr> CardToken::create_one(const NewObject& object) {
  switch (object.attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED)) {
    case CKO_PRIVATE_KEY:
      return import_key(object);
    case CKO_PUBLIC_KEY:
      return find_public_key(object.attributes);
    case CKO_CERTIFICATE:
      return store_certificate(object.attributes);
    case CKO_DATA:
      return store_file(object);
    default:
      return error(Code::template_inconsistent, "the card keeps no objects of this class");
  }
}

Result<std::vector<ObjectPtr>> CardToken::create(std::vector<NewObject> objects) {
  std::vector<ObjectPtr> created(objects.size());
  const auto is_public_key = [&](std::size_t i) {
    return objects[i].attributes.get_ulong(CKA_CLASS) == CKO_PUBLIC_KEY;
  };
  // Public halves last: they are there once their private halves are.
  for (const bool public_keys : {false, true}) {
    for (std::size_t i = 0; i < objects.size(); ++i) {
      if (is_public_key(i) != public_keys) continue;
      Result<ObjectPtr> object = create_one(objects[i]);
      if (object) {
        created[i] = std::move(*object);
        continue;
      }
      for (const ObjectPtr& written : created) {
        // The call fails with its own reason.
        if (written && written->object_class() != CKO_PUBLIC_KEY) static_cast<void>(destroy(written->id).ok());
      }
      return std::move(object).error();
    }
  }
  return created;
}

Result<ObjectPtr> CardToken::replace(ObjectId, const AttributeSet&) {
  return error(Code::action_prohibited, "labels and ids on a card follow from the place of the object");
}

Status CardToken::destroy(ObjectId id) {
  const auto origin = known_.read([&](const Known& known) { return known.numbers.origin_of(id); });
  if (!origin) return Code::object_handle_invalid;
  if (origin->part == Part::file) {
    CARDEA_ASSIGN(const FileEntry file, file_of(origin->reference));
    CARDEA_TRY(write([&](CardAdministrator& administrator, CardTransaction& transaction) {
      return administrator.write_file(transaction, file, {});
    }));
    known_.with([&](Known& known) {
      known.card.file_states[file.reference] = FileState{};
      known.card.files.reset();
      known.numbers.retire(*origin);
    });
    contents_changed();
    return {};
  }
  CARDEA_ASSIGN(const std::optional<Container> container, container_at(origin->reference));
  if (!container) return Code::object_handle_invalid;
  if (origin->part == Part::public_key) return Code::action_prohibited;
  const bool key = origin->part == Part::private_key;
  CARDEA_TRY(write([&](CardAdministrator& administrator, CardTransaction& transaction) {
    return key ? administrator.delete_key(transaction, container->place)
               : administrator.write_certificate(transaction, container->place, {});
  }));
  // Without its certificate a key is still known to who saw it, even on a card that has no directory of keys.
  const Bytes kept = !key && container->has_key ? key_info_of(*container) : Bytes{};
  return renew(container->place, key, kept);
}

}  // namespace cardea::card
