// Creating, changing and destroying the objects of a keystore token, and initialising it.
#include "crypto/random.h"
#include "keystore/keystore_token.h"

namespace cardea::keystore {
namespace {

Result<SecretBytes> random_master_key() {
  SecretBytes key(key_size);
  CARDEA_TRY(crypto::random_bytes(key.mutable_view()));
  return key;
}

}  // namespace

Result<std::vector<ObjectPtr>> KeystoreToken::create(std::vector<NewObject> objects) {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  std::vector<ObjectPtr> created;
  CARDEA_TRY(opened->contents.write([&](WriteTransaction& transaction) -> Status {
    const UnlockedPtr login = vault_.unlocked();
    if (login && login->epoch != transaction.epoch) return Code::user_not_logged_in;
    CARDEA_ASSIGN(const ObjectId first, transaction.file.next_change(objects.size()));
    for (std::size_t i = 0; i < objects.size(); ++i) {
      NewObject& fresh = objects[i];
      const ObjectId id = first + i;
      if (!fresh.secrets.empty() && !login) return Code::user_not_logged_in;
      Bytes sealed;
      if (login) {
        CARDEA_ASSIGN(sealed,
                      seal_secrets(login->store_key, {serial_, id, fresh.attributes.serialised()}, fresh.secrets));
      }
      CARDEA_TRY(transaction.file.insert(id, transaction.change, fresh.attributes, login ? &sealed : nullptr));
      transaction.written.push_back(std::make_shared<const Object>(Object{id, std::move(fresh.attributes)}));
    }
    created = transaction.written;
    return {};
  }));
  return created;
}

Result<ObjectPtr> KeystoreToken::replace(ObjectId id, const AttributeSet& attributes) {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  ObjectPtr replaced;
  CARDEA_TRY(opened->contents.write([&](WriteTransaction& transaction) -> Status {
    const UnlockedPtr login = vault_.unlocked();
    if (login && login->epoch != transaction.epoch) return Code::user_not_logged_in;
    Bytes old_attributes;
    Bytes old_seal;
    CARDEA_ASSIGN(const bool there, transaction.file.read(id, [&](const ObjectRow& row) {
      old_attributes = to_bytes(row.attributes);
      old_seal = to_bytes(row.sealed);
    }));
    if (!there) return Code::object_handle_invalid;
    Bytes sealed;
    if (login) {
      SecretAttributes secrets;
      if (!old_seal.empty()) {
        CARDEA_ASSIGN(secrets, open_secrets(login->store_key, {serial_, id, old_attributes}, old_seal));
      }
      CARDEA_ASSIGN(sealed, seal_secrets(login->store_key, {serial_, id, attributes.serialised()}, secrets));
    } else if (old_seal.size() > seal_overhead) {
      return Code::user_not_logged_in;
    }
    CARDEA_ASSIGN(const ObjectId unused, transaction.file.next_change(0));
    static_cast<void>(unused);
    CARDEA_TRY(transaction.file.update(id, transaction.change, attributes, login ? &sealed : nullptr));
    replaced = std::make_shared<const Object>(Object{id, attributes});
    transaction.written.push_back(replaced);
    return {};
  }));
  return replaced;
}

Status KeystoreToken::destroy(ObjectId id) {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  return opened->contents.write([&](WriteTransaction& transaction) -> Status {
    CARDEA_ASSIGN(const ObjectId unused, transaction.file.next_change(0));
    static_cast<void>(unused);
    CARDEA_TRY(transaction.file.remove(id, transaction.change));
    transaction.gone.push_back(id);
    return {};
  });
}

Status KeystoreToken::initialize(const Pin& so_pin, std::string_view label) {
  const std::lock_guard lock(initializing_);
  return blank() ? initialize_blank(so_pin, label) : initialize_again(so_pin, label);
}

Status KeystoreToken::initialize_blank(const Pin& so_pin, std::string_view label) {
  const KeystoreSettings& keystore = settings_.keystore;
  CARDEA_TRY(check_pin_length(so_pin, keystore.min_pin_length, keystore.max_pin_length));
  CARDEA_ASSIGN(const SecretBytes master_key, random_master_key());
  CARDEA_ASSIGN(WrappedKey so_key, wrap(master_key, Role::security_officer, so_pin, std::nullopt));
  CARDEA_ASSIGN(NewDirectory fresh, new_token_directory(settings_.home, serial_));
  CARDEA_TRY(StoreFile::create(
      fresh.path(),
      {.serial = serial_, .label = std::string(label), .settings = keystore, .so_key = std::move(so_key)}));
  if (!ChangeCounter::open(fresh.path() / counter_name, /*writable=*/true).mapped()) {
    return error(Code::device_memory, "no space is left for the store");
  }
  CARDEA_TRY(TryCounter(fresh.path() / tries_name).set(Role::user, 0, /*durable=*/true));
  CARDEA_TRY(fresh.commit());
  return open_store_file();
}

Status KeystoreToken::initialize_again(const Pin& so_pin, std::string_view label) {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  if (!opened->store->with([](StoreFile& file) { return file.writable(); })) return Code::token_write_protected;
  CARDEA_ASSIGN(const auto lock, login_lock(*opened));
  CARDEA_ASSIGN(const Opening old_opening, try_pin(*opened, Role::security_officer, so_pin));
  CARDEA_ASSIGN(const SecretBytes master_key, random_master_key());
  // A seal ends here: its recovery code was made for the old token.
  CARDEA_ASSIGN(const WrappedKey so_key, wrap(master_key, Role::security_officer, so_pin, std::nullopt));
  CARDEA_TRY(opened->contents.write([&](WriteTransaction& transaction) -> Status {
    CARDEA_TRY(transaction.file.restart(label, settings_.keystore));
    transaction.restarted = true;
    return transaction.file.put_unlock_method(Role::security_officer, so_key, settings_.keystore.so_retry_limit);
  }));
  vault_.lock();
  return {};
}

}  // namespace cardea::keystore
