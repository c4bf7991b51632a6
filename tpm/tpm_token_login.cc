// Login and PINs of TpmToken.
#include "tpm/tpm_token.h"

namespace cardea::tpm {

/// Without the objects, which opening does not need.
CardState TpmToken::state_to_open() const {
  return contents_.read([](const CardState& state) {
    return CardState{.change = state.change, .description = state.description, .openers = state.openers, .objects = {}};
  });
}

/// A right PIN ends the count of wrong ones, as on every card. A TPM does not do so by itself. Where its owner has set
/// an authorisation for the lock-out, the count falls with time alone (docs/tpm.md, "Wrong PINs").
void TpmToken::forget_wrong_pins() {
  if (!lock_out_.read([](const auto& known) { return known.has_value(); })) note_lock_out();
  const bool needed =
      lock_out_.read([](const auto& known) { return known && known->failures > 0 && known->resettable; });
  if (!needed) return;
  // Failing costs nobody anything: the count stays higher than it had to.
  static_cast<void>(tpm_->run([](TpmAccess& access) { return access.connection.reset_lock_out(); }).ok());
  note_lock_out();
}

Result<SecretBytes> TpmToken::open_card(const CardState& card, Role role, const Pin& pin) {
  const auto open = [&]() -> Result<SecretBytes> {
    if (role == Role::user) return open_with_pin(*tpm_, card, Opener::user_pin, pin);
    if (const auto key = admin_key_of(pin)) {
      return open_with_answer(*tpm_, card, [&](ByteView nonce) { return challenge_response(*key, nonce); });
    }
    return open_with_pin(*tpm_, card, Opener::puk, pin);
  };
  Result<SecretBytes> secret = open();
  if (!secret && secret.code() == Code::wrapped_key_invalid) {
    return error(Code::store_corrupt, "the sealed secret was damaged, or belongs to another TPM");
  }
  const bool tpm_said_no = !secret && (secret.code() == Code::pin_incorrect || secret.code() == Code::pin_locked);
  if (tpm_said_no) note_lock_out();
  if (secret) forget_wrong_pins();
  problem_.with([&](std::string& problem) {
    problem = secret || tpm_said_no ? std::string() : cardea::describe(secret.error());
  });
  return secret;
}

Status TpmToken::login(Role role, const Pin& pin) {
  if (role == Role::none) return Code::user_type_invalid;
  CARDEA_TRY(contents_.refresh());
  auto login = std::make_shared<Login>();
  CARDEA_ASSIGN(SecretBytes secret, open_card(state_to_open(), role, pin));
  CARDEA_ASSIGN(login->keys, CardKeys::derive(secret, serial_));
  login->role = role;
  if (role == Role::security_officer) login->card_secret = std::move(secret);
  login_.with([&](LoginPtr& present) { present = std::move(login); });
  return {};
}

void TpmToken::logout() {
  const bool was_user = login_.with([](LoginPtr& present) {
    const bool user = present && present->role == Role::user;
    present.reset();
    return user;
  });
  if (!was_user) return;
  // What stays loaded nobody can use without the authorisation that has just been wiped.
  tpm_->tidy([&](TpmAccess& access) {
    access.keys.drop(loaded_prefix_);
    if (access.storage_key_of == serial_) access.release_storage_key();
  });
}

Status TpmToken::authenticate_again(const Pin& pin) {
  CARDEA_TRY(user_login());
  CARDEA_TRY(open_card(state_to_open(), Role::user, pin));
  return {};
}

/// Replaces what opens the card, all of it at once, unless somebody else has done so since `before` was read.
Status TpmToken::put_openers(const CardState& before, const Openers& openers) {
  return contents_.write([&](CardWriter& writer) -> Status {
    for (const auto& [which, blob] : openers) {
      CARDEA_ASSIGN(const std::optional<Blob> present, writer.opener(which));
      const auto known = before.openers.find(which);
      if (!present || known == before.openers.end() || !(*present == known->second)) {
        return error(Code::function_failed, "another process has changed the PIN at the same moment");
      }
      CARDEA_TRY(writer.put(which, blob));
    }
    return {};
  });
}

Status TpmToken::change(Role role, const Pin& old_pin, const Pin& new_pin) {
  if (!contents_.file().writable()) return Code::token_write_protected;
  CARDEA_TRY(check_pin_length(pin_lengths(card(), settings_.tpm), new_pin));
  const bool officer = role == Role::security_officer;
  const std::optional<SecretBytes> new_key = officer ? admin_key_of(new_pin) : std::nullopt;
  if (officer && new_key.has_value() != admin_key_of(old_pin).has_value()) {
    return error(Code::pin_invalid, "a PUK is changed into a PUK, an administrator's key into 64 hexadecimal digits");
  }
  CARDEA_TRY(contents_.refresh());
  const CardState card = state_to_open();
  CARDEA_ASSIGN(const SecretBytes secret, open_card(card, role, old_pin));
  Openers openers;
  if (new_key) {
    CARDEA_ASSIGN(openers, seal_with_admin_key(*tpm_, card.description, secret, *new_key));
  } else {
    const Opener which = officer ? Opener::puk : Opener::user_pin;
    CARDEA_ASSIGN(openers[which], seal_with_pin(*tpm_, card.description, secret, which, new_pin));
  }
  return put_openers(card, openers);
}

Status TpmToken::set_user_pin(const Pin& new_pin) {
  if (!contents_.file().writable()) return Code::token_write_protected;
  const LoginPtr login = present_login();
  if (!login || login->role != Role::security_officer) return Code::user_not_logged_in;
  CARDEA_TRY(check_pin_length(pin_lengths(card(), settings_.tpm), new_pin));
  CARDEA_TRY(contents_.refresh());
  const CardState card = state_to_open();
  Openers openers;
  CARDEA_ASSIGN(openers[Opener::user_pin],
                seal_with_pin(*tpm_, card.description, login->card_secret, Opener::user_pin, new_pin));
  return put_openers(card, openers);
}

}  // namespace cardea::tpm
