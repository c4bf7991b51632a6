// Sealing a keystore token to its machine, and taking the seal off (docs/keystore.md, "Sealed by the TPM").
#include "crypto/random.h"
#include "keystore/keystore_token.h"
#include "keystore/recovery_code.h"

namespace cardea::keystore {
namespace {

using Pins = std::vector<std::pair<Role, UnlockMethod>>;

/// Both PINs as they stand in the store; the user's may not have been set.
Result<Pins> present_pins(StoreFile& file) {
  Pins pins;
  for (const Role role : {Role::user, Role::security_officer}) {
    CARDEA_ASSIGN(auto method, file.unlock_method(role));
    if (method) pins.emplace_back(role, std::move(*method));
  }
  return pins;
}

/// A secret that the sealer has sealed and proved to give out again: a TPM that loses it must not be found out later.
struct SealedSecret {
  SecretBytes secret;
  Bytes blob;
};
Result<SealedSecret> seal_fresh_secret(Sealer& sealer, std::string_view serial) {
  SealedSecret fresh{SecretBytes(sealable_size), {}};
  CARDEA_TRY(crypto::random_bytes(fresh.secret.mutable_view()));
  CARDEA_ASSIGN(fresh.blob, sealer.seal(serial, fresh.secret));
  CARDEA_ASSIGN(const SecretBytes again, sealer.unseal(serial, fresh.blob));
  if (equal_in_constant_time(fresh.secret.view(), again.view())) return fresh;
  return error(Code::device_error, "what was sealed comes out as something else");
}

Error not_sealed() {
  return error(Code::not_found, "the token is not sealed");
}

}  // namespace

Result<std::optional<SecretBytes>> KeystoreToken::sealing_key(Opened& opened) const {
  CARDEA_ASSIGN(const auto seal, opened.store->with([](StoreFile& file) { return file.seal(); }));
  if (!seal) return std::optional<SecretBytes>();
  if (!sealer_) return error(Code::device_error, "the token is sealed, and nothing here opens seals");
  CARDEA_ASSIGN(const SecretBytes secret, sealer_->unseal(serial_, seal->blob));
  CARDEA_ASSIGN(SecretBytes key, derive_sealing_key(secret, serial_));
  return std::optional<SecretBytes>(std::move(key));
}

Result<KeystoreToken::Opened*> KeystoreToken::opened_for_sealing() const {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  if (!opened->store->with([](StoreFile& file) { return file.writable(); })) return Code::token_write_protected;
  return opened;
}

/// Covers all PINs with the key, or uncovers them when there shall be no seal; in one transaction. The caller holds the
/// login lock, under which alone PINs and seals change.
Status KeystoreToken::replace_unlock_methods(Opened& opened, const SecretBytes& sealing_key,
                                             const std::optional<Seal>& seal) const {
  return opened.store->with([&](StoreFile& file) -> Status {
    CARDEA_TRY(file.check_in_place());
    CARDEA_ASSIGN(Pins pins, present_pins(file));
    for (auto& [role, method] : pins) {
      if (method.wrapped.covered == seal.has_value()) continue;
      const WrapContext context = wrap_context(role);
      CARDEA_ASSIGN(method.wrapped,
                    seal ? cover(method.wrapped, sealing_key, context) : uncover(method.wrapped, sealing_key, context));
    }
    CARDEA_TRY(file.begin());
    Status done = file.replace_unlock_methods(pins, seal);
    if (done) done = file.commit();
    if (!done) {
      file.rollback();
      return done;
    }
    file.forget_log();
    return {};
  });
}

Result<Pin> KeystoreToken::seal(Role role, const Pin& pin) {
  CARDEA_ASSIGN(Opened* const opened, opened_for_sealing());
  if (!sealer_) return error(Code::function_not_supported, "nothing here seals tokens");
  CARDEA_ASSIGN(const auto lock, login_lock(*opened));
  CARDEA_ASSIGN(const bool sealed, this->sealed());
  if (sealed) return error(Code::exists, "the token is sealed already");
  CARDEA_ASSIGN(const Opening opening, try_pin(*opened, role, pin));
  CARDEA_ASSIGN(SealedSecret fresh, seal_fresh_secret(*sealer_, serial_));
  CARDEA_ASSIGN(Pin code, new_recovery_code());
  Seal seal{.blob = std::move(fresh.blob), .recovery = {}};
  CARDEA_ASSIGN(seal.recovery,
                wrap_under_pin(fresh.secret, code, settings_.keystore.pin_cost, {serial_, recovery_method}));
  CARDEA_ASSIGN(const SecretBytes key, derive_sealing_key(fresh.secret, serial_));
  CARDEA_TRY(replace_unlock_methods(*opened, key, seal));
  return code;
}

Status KeystoreToken::unseal(Role role, const Pin& pin) {
  CARDEA_ASSIGN(Opened* const opened, opened_for_sealing());
  CARDEA_ASSIGN(const auto lock, login_lock(*opened));
  CARDEA_ASSIGN(const bool sealed, this->sealed());
  if (!sealed) return not_sealed();
  CARDEA_ASSIGN(const Opening opening, try_pin(*opened, role, pin));
  if (!opening.sealing_key) return error(Code::store_corrupt, "the token has a seal that its PIN does not need");
  return replace_unlock_methods(*opened, *opening.sealing_key, std::nullopt);
}

Status KeystoreToken::unseal_with_code(const Pin& code) {
  CARDEA_ASSIGN(Opened* const opened, opened_for_sealing());
  CARDEA_ASSIGN(const Pin exact, read_recovery_code(code));
  CARDEA_ASSIGN(const auto lock, login_lock(*opened));
  CARDEA_ASSIGN(const auto seal, opened->store->with([](StoreFile& file) { return file.seal(); }));
  if (!seal) return not_sealed();
  auto secret = unwrap_with_pin(seal->recovery, exact, {serial_, recovery_method});
  if (!secret && secret.code() == Code::pin_incorrect) {
    return error(Code::pin_incorrect, "this is not the token's recovery code");
  }
  if (!secret) return std::move(secret).error();
  CARDEA_ASSIGN(const SecretBytes key, derive_sealing_key(*secret, serial_));
  return replace_unlock_methods(*opened, key, std::nullopt);
}

Result<bool> KeystoreToken::sealed() const {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  CARDEA_ASSIGN(const auto seal, opened->store->with([](StoreFile& file) { return file.seal(); }));
  return seal.has_value();
}

Status KeystoreToken::check_seal() const {
  CARDEA_ASSIGN(Opened* const opened, this->opened());
  CARDEA_ASSIGN(const auto key, sealing_key(*opened));
  return {};
}

}  // namespace cardea::keystore
