#include "keystore/keystore_token.h"

#include <sys/stat.h>

#include <algorithm>

#include "token/key_material.h"

namespace cardea::keystore {
namespace {

constexpr std::string_view manufacturer = "Cardea";
constexpr std::string_view model = "Keystore";

PinState pin_state(const std::optional<UnlockMethod>& method, int default_limit) {
  PinState state;
  state.initialized = method.has_value();
  state.retry_limit = method ? method->retry_limit : default_limit;
  if (!method) return state;
  state.locked = method->locked();
  if (method->retry_limit > 0) state.retries_left = std::max(0, method->retry_limit - method->failures);
  return state;
}

}  // namespace

KeystoreToken::Opened::Opened(OpenStorePtr store_file, Vault& vault)
    : store(std::move(store_file)), contents(*store, [&vault](std::optional<ObjectId> id) {
        if (id) {
          vault.forget(*id);
        } else {
          vault.forget_all();
        }
      }) {}

std::filesystem::path KeystoreToken::directory() const {
  return tokens_directory(settings_.home) / serial_;
}

Result<std::shared_ptr<KeystoreToken>> KeystoreToken::open(const Settings& settings, const std::string& serial,
                                                           SealerPtr sealer) {
  auto token = std::make_shared<KeystoreToken>(settings, serial, std::move(sealer));
  std::vector<std::string>& problems = token->found_at_opening_;
  CARDEA_TRY(check_directory(settings.home, problems));
  CARDEA_TRY(check_directory(tokens_directory(settings.home), problems));
  CARDEA_TRY(check_directory(token->directory(), problems));
  CARDEA_TRY(check_token_files(token->directory(), problems));
  CARDEA_TRY(token->open_store_file());
  return token;
}

Status KeystoreToken::open_store_file() {
  CARDEA_ASSIGN(OpenStorePtr store, open_store(directory()));
  CARDEA_ASSIGN(const Meta meta, store->with([](StoreFile& file) { return file.meta(); }));
  // The serial is part of every seal: a directory that was renamed or copied would not open, and two tokens with one
  // serial would be taken for the same.
  if (meta.serial != serial_) {
    return error(Code::store_corrupt, directory().string() + " holds the token " + meta.serial + ", not " + serial_);
  }
  owner_ = std::make_unique<Opened>(std::move(store), vault_);
  opened_.store(owner_.get(), std::memory_order_release);
  return {};
}

Result<KeystoreToken::Opened*> KeystoreToken::opened() const {
  Opened* const opened = opened_.load(std::memory_order_acquire);
  if (opened == nullptr) return error(Code::token_not_recognized, "the token is not initialised");
  return opened;
}

bool KeystoreToken::in_place() const {
  struct stat status {};
  return blank() || stat(directory().c_str(), &status) == 0;
}

TokenDescription KeystoreToken::describe() {
  TokenDescription description;
  description.manufacturer = manufacturer;
  description.model = model;
  description.serial = serial_;
  description.min_pin_length = settings_.keystore.min_pin_length;
  description.max_pin_length = settings_.keystore.max_pin_length;
  description.problems = found_at_opening_;
  Opened* const opened = opened_.load(std::memory_order_acquire);
  if (opened == nullptr) return description;
  description.initialized = true;
  const Status read = opened->store->with([&](StoreFile& file) -> Status {
    description.write_protected = !file.writable();
    CARDEA_ASSIGN(const Meta meta, file.meta());
    description.label = meta.label;
    description.min_pin_length = meta.min_pin_length;
    description.max_pin_length = meta.max_pin_length;
    CARDEA_ASSIGN(const auto user, file.unlock_method(Role::user));
    CARDEA_ASSIGN(const auto officer, file.unlock_method(Role::security_officer));
    description.user_pin = pin_state(user, settings_.keystore.retry_limit);
    description.so_pin = pin_state(officer, settings_.keystore.so_retry_limit);
    return {};
  });
  if (!read) description.problems.push_back(directory().string() + ": " + cardea::describe(read.error()));
  for (std::string& sentence : opened->contents.damage()) description.problems.push_back(std::move(sentence));
  return description;
}

Result<std::vector<std::string>> KeystoreToken::check() {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  CARDEA_ASSIGN(std::vector<std::string> findings,
                opened->store->with([](StoreFile& file) { return file.integrity(); }));
  CARDEA_ASSIGN(const std::vector<std::string> damage, opened->contents.check());
  findings.insert(findings.end(), damage.begin(), damage.end());
  findings.insert(findings.end(), found_at_opening_.begin(), found_at_opening_.end());
  return findings;
}

std::uint64_t KeystoreToken::generation() {
  Opened* const opened = opened_.load(std::memory_order_acquire);
  return opened == nullptr ? 0 : opened->contents.generation();
}

Status KeystoreToken::find(const Query& query, const ObjectSink& sink) {
  Opened* const opened = opened_.load(std::memory_order_acquire);
  if (opened == nullptr) return {};
  return opened->contents.find(query, sink);
}

Result<ObjectPtr> KeystoreToken::object(ObjectId id) {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  return opened->contents.object(id);
}

UnlockedPtr KeystoreToken::valid_login(const Opened& opened) const {
  UnlockedPtr login = vault_.unlocked();
  // Another process initialised the token anew: our keys open nothing any more.
  if (login && opened.contents.epoch() != login->epoch) return nullptr;
  return login;
}

Result<KeystoreToken::StoredObject> KeystoreToken::stored_object(Opened& opened, ObjectId id) const {
  return opened.store->with([&](StoreFile& file) -> Result<StoredObject> {
    StoredObject object;
    Status parsed;
    CARDEA_ASSIGN(const bool there, file.read(id, [&](const ObjectRow& row) {
      auto attributes = AttributeSet::parse(row.attributes);
      if (!attributes) {
        parsed = std::move(attributes).error();
        return;
      }
      object = {.attributes = std::move(*attributes), .sealed = to_bytes(row.sealed)};
    }));
    if (!there) return Code::object_handle_invalid;
    CARDEA_TRY(std::move(parsed));
    return object;
  });
}

Result<SecretAttributes> KeystoreToken::open_seal(Opened& opened, ObjectId id, const StoredObject& object) const {
  const UnlockedPtr login = valid_login(opened);
  const CK_ULONG object_class = object.attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED);
  const bool secret = object_class == CKO_PRIVATE_KEY || object_class == CKO_SECRET_KEY;
  const bool is_private = object.attributes.get_bool(CKA_PRIVATE);
  if (is_private && (!login || login->role != Role::user)) return Code::user_not_logged_in;
  if (object.sealed.empty()) {
    // The SO sets CKA_TRUSTED with the store's key at hand, so a trusted object without a seal was not made by the SO.
    if (secret || is_private || object.attributes.get_bool(CKA_TRUSTED)) {
      return error(Code::store_corrupt, "object " + std::to_string(id) + " has lost its seal");
    }
    return SecretAttributes();
  }
  if (!login) {
    if (secret) return Code::user_not_logged_in;
    return SecretAttributes();
  }
  return open_secrets(login->store_key, {serial_, id, object.attributes.serialised()}, object.sealed);
}

Result<KeyPtr> KeystoreToken::key(const Object& object) {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  CARDEA_TRY(opened->contents.refresh());
  if (KeyPtr known = vault_.key(object.id)) return known;
  const std::uint64_t stamp = vault_.stamp();
  CARDEA_ASSIGN(const StoredObject stored, stored_object(*opened, object.id));
  CARDEA_ASSIGN(const SecretAttributes secrets, open_seal(*opened, object.id, stored));
  CARDEA_ASSIGN(KeyPtr key, make_key(stored.attributes, secrets));
  vault_.remember(object.id, key, stamp);
  return key;
}

Result<SecretAttributes> KeystoreToken::secrets(const Object& object) {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  CARDEA_TRY(opened->contents.refresh());
  CARDEA_ASSIGN(const StoredObject stored, stored_object(*opened, object.id));
  return open_seal(*opened, object.id, stored);
}

}  // namespace cardea::keystore
