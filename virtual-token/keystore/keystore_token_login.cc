// PINs of a keystore token: trying, counting, changing.
#include "keystore/keystore_token.h"

namespace cardea::keystore {
namespace {

Result<UnlockMethod> usable_method(StoreFile& file, Role role) {
  CARDEA_ASSIGN(auto method, file.unlock_method(role));
  if (!method) return Code::user_pin_not_initialized;
  if (method->locked()) {
    Error locked = error(Code::pin_locked);
    locked.retries_left = 0;
    return locked;
  }
  return std::move(*method);
}

}  // namespace

Status KeystoreToken::check_pin_length(const Pin& pin, std::size_t least, std::size_t most) const {
  if (pin.size() >= least && pin.size() <= most) return {};
  return error(Code::pin_length,
               "a PIN has from " + std::to_string(least) + " to " + std::to_string(most) + " bytes here");
}

WrapContext KeystoreToken::wrap_context(Role role) const {
  return {serial_, role == Role::security_officer ? 2 : 1};
}

Result<WrappedKey> KeystoreToken::wrap(const SecretBytes& master_key, Role role, const Pin& pin,
                                       const std::optional<SecretBytes>& sealing_key) const {
  const WrapContext context = wrap_context(role);
  auto wrapped = wrap_under_pin(master_key, pin, settings_.keystore.pin_cost, context);
  if (!wrapped || !sealing_key) return wrapped;
  return cover(*wrapped, *sealing_key, context);
}

Result<std::optional<LoginLock>> KeystoreToken::login_lock(Opened& opened) const {
  // A store that cannot be written cannot count either, so there is nothing to serialise.
  if (!opened.store->with([](StoreFile& file) { return file.writable(); })) return std::optional<LoginLock>();
  CARDEA_ASSIGN(LoginLock lock, LoginLock::take(directory()));
  return std::optional<LoginLock>(std::move(lock));
}

/// Counts one more try, on disk when this returns: a process that is killed while the PIN is tried has used its try up.
Status KeystoreToken::count_try(StoreFile& file, Role role, int failures) const {
  if (!file.writable()) return {};
  CARDEA_TRY(file.check_in_place());
  return file.try_counter().set(role, failures + 1, /*durable=*/true);
}

Result<KeystoreToken::Opening> KeystoreToken::try_pin(Opened& opened, Role role, const Pin& pin) const {
  CARDEA_ASSIGN(UnlockMethod method, opened.store->with([&](StoreFile& file) { return usable_method(file, role); }));
  const WrapContext context = wrap_context(role);
  Opening opening;
  if (method.wrapped.covered) {
    // Before the try is counted: on another machine no PIN can be right, so none is used up.
    CARDEA_ASSIGN(opening.sealing_key, sealing_key(opened));
    if (!opening.sealing_key) return error(Code::store_corrupt, "the token's seal is missing");
    CARDEA_ASSIGN(method.wrapped, uncover(method.wrapped, *opening.sealing_key, context));
  }
  CARDEA_TRY(opened.store->with([&](StoreFile& file) { return count_try(file, role, method.failures); }));
  auto master_key = unwrap_with_pin(method.wrapped, pin, context);
  if (!master_key) {
    Error wrong = std::move(master_key).error();
    if (wrong.code == Code::pin_incorrect && method.retry_limit > 0) {
      wrong.retries_left = method.retry_limit - method.failures - 1;
    }
    return wrong;
  }
  opening.master_key = std::move(*master_key);
  opened.store->with([&](StoreFile& file) {
    // This need not reach the disk at once: should it get lost, the counter stays higher than it had to, until the next
    // login. Failing here would punish a right PIN.
    if (file.writable()) static_cast<void>(file.try_counter().set(role, 0, /*durable=*/false));
  });
  return opening;
}

Status KeystoreToken::login(Role role, const Pin& pin) {
  if (role == Role::none) return Code::user_type_invalid;
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  auto unlocked = std::make_shared<Unlocked>();
  {
    CARDEA_ASSIGN(const auto lock, login_lock(*opened));
    CARDEA_ASSIGN(const Meta meta, opened->store->with([](StoreFile& file) { return file.meta(); }));
    CARDEA_ASSIGN(Opening opening, try_pin(*opened, role, pin));
    unlocked->master_key = std::move(opening.master_key);
    unlocked->epoch = meta.epoch;
  }
  unlocked->role = role;
  CARDEA_ASSIGN(unlocked->store_key, derive_store_key(unlocked->master_key, serial_));
  if (role != Role::security_officer) unlocked->master_key.clear();
  vault_.unlock(std::move(unlocked));
  return opened->contents.refresh();
}

void KeystoreToken::logout() {
  vault_.lock();
}

Status KeystoreToken::authenticate_again(const Pin& pin) {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  const UnlockedPtr login = valid_login(*opened);
  if (!login) return Code::user_not_logged_in;
  CARDEA_ASSIGN(const auto lock, login_lock(*opened));
  CARDEA_ASSIGN(const Opening opening, try_pin(*opened, login->role, pin));
  return {};
}

Status KeystoreToken::put_pin(Opened& opened, Role role, const WrappedKey& wrapped, std::uint64_t epoch) const {
  return opened.store->with([&](StoreFile& file) -> Status {
    CARDEA_TRY(file.check_in_place());
    CARDEA_TRY(file.begin());
    const auto put = [&]() -> Status {
      CARDEA_ASSIGN(const Meta meta, file.meta());
      if (meta.epoch != epoch) return Code::user_not_logged_in;
      CARDEA_ASSIGN(const auto present, file.unlock_method(role));
      const int fresh_limit = role == Role::user ? settings_.keystore.retry_limit : settings_.keystore.so_retry_limit;
      CARDEA_TRY(file.put_unlock_method(role, wrapped, present ? present->retry_limit : fresh_limit));
      return file.commit();
    };
    if (Status done = put(); !done) {
      file.rollback();
      return done;
    }
    return file.try_counter().set(role, 0, /*durable=*/true);
  });
}

Status KeystoreToken::change(Role role, const Pin& old_pin, const Pin& new_pin) {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  if (!opened->store->with([](StoreFile& file) { return file.writable(); })) return Code::token_write_protected;
  CARDEA_ASSIGN(const auto lock, login_lock(*opened));
  CARDEA_ASSIGN(const Meta meta, opened->store->with([](StoreFile& file) { return file.meta(); }));
  CARDEA_TRY(check_pin_length(new_pin, meta.min_pin_length, meta.max_pin_length));
  CARDEA_ASSIGN(const Opening opening, try_pin(*opened, role, old_pin));
  CARDEA_ASSIGN(const WrappedKey wrapped, wrap(opening.master_key, role, new_pin, opening.sealing_key));
  return put_pin(*opened, role, wrapped, meta.epoch);
}

Status KeystoreToken::set_user_pin(const Pin& new_pin) {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  if (!opened->store->with([](StoreFile& file) { return file.writable(); })) return Code::token_write_protected;
  const UnlockedPtr login = vault_.unlocked();
  if (!login || login->role != Role::security_officer) return Code::user_not_logged_in;
  CARDEA_ASSIGN(const Meta meta, opened->store->with([](StoreFile& file) { return file.meta(); }));
  CARDEA_TRY(check_pin_length(new_pin, meta.min_pin_length, meta.max_pin_length));
  CARDEA_ASSIGN(const auto lock, login_lock(*opened));
  CARDEA_ASSIGN(const auto sealing_key, this->sealing_key(*opened));
  CARDEA_ASSIGN(const WrappedKey wrapped, wrap(login->master_key, Role::user, new_pin, sealing_key));
  return put_pin(*opened, Role::user, wrapped, login->epoch);
}

}  // namespace cardea::keystore
