// Login and PINs of CardToken.
#include "base/bytes.h"
#include "cards/card_token.h"

namespace cardea::card {
namespace {

/// The administrator's key as the security officer types it.
Result<SecretBytes> key_from_hex(const Pin& pin) {
  Bytes key;
  const bool right = from_hex(text_of(pin.view()), key) && !key.empty();
  SecretBytes secret(key);
  wipe(key);
  if (!right)
    return error(Code::pin_incorrect,
                 "the security officer's PIN is the administrator's key in hexadecimal digits, "
                 "on PIV cards also the PUK");
  return secret;
}

}  // namespace

/// Keeps the PIN's state without asking the card again.
void CardToken::note_pin(const Status& outcome) {
  known_.with([&](Known& known) {
    std::optional<PinState>& state = known.card.user_pin;
    if (outcome && state) {
      // All tries are there again; how many those are, not every card tells.
      state->locked = false;
      state->retries_left = state->retry_limit > 0 ? std::optional(state->retry_limit) : std::nullopt;
    } else if (outcome) {
      return;
    } else if (outcome.code() == Code::pin_locked && state) {
      state->locked = true;
      state->retries_left = 0;
    } else if (outcome.code() == Code::pin_incorrect && state && outcome.error().retries_left) {
      state->retries_left = outcome.error().retries_left;
      state->locked = *state->retries_left == 0;
    } else if (outcome.code() == Code::pin_incorrect) {
      state.reset();
    } else {
      return;
    }
    known.unsaved = true;
  });
  save();
}

/// By the administrator's key, or where the PUK sets the user PIN by that.
Status CardToken::login_officer(const Pin& pin) {
  constexpr std::size_t shorter_than_any_key = 8;
  if (pin.size() <= shorter_than_any_key) {
    Status shown = access_->login_puk(pin);
    if (shown || shown.code() != Code::function_not_supported) return shown;
  }
  CARDEA_ASSIGN(SecretBytes key, key_from_hex(pin));
  return access_->login_administrator(std::move(key));
}

Status CardToken::login(Role role, const Pin& pin) {
  // Counted before the PIN is shown, so that nobody who logs out at this moment takes the status away again.
  shared_.enter();
  Status done = role == Role::security_officer ? login_officer(pin) : access_->login_user(pin);
  if (role == Role::user) note_pin(done);
  if (!done) {
    shared_.leave([] {});
    return done;
  }
  role_.store(role, std::memory_order_release);
  return {};
}

void CardToken::logout() {
  role_.store(Role::none, std::memory_order_release);
  bool last = false;
  shared_.leave([&] {
    last = true;
    access_->logout(true);
  });
  if (!last) access_->logout(false);
}

Status CardToken::authenticate_again(const Pin& pin) {
  if (role_.load(std::memory_order_acquire) != Role::user) return Code::user_not_logged_in;
  Status done = access_->login_user(pin);
  note_pin(done);
  return done;
}

Status CardToken::change(Role role, const Pin& old_pin, const Pin& new_pin) {
  if (role == Role::security_officer && access_->has_puk()) return access_->change_puk(old_pin, new_pin);
  if (role == Role::security_officer) {
    CARDEA_ASSIGN(const SecretBytes old_key, key_from_hex(old_pin));
    CARDEA_ASSIGN(SecretBytes new_key, key_from_hex(new_pin));
    CARDEA_TRY(access_->run_selected([&](CardModule& module, CardTransaction& transaction) -> Status {
      CardAdministrator* const administrator = module.administrator();
      if (administrator == nullptr) return Code::token_write_protected;
      CARDEA_TRY(administrator->authenticate(transaction, old_key));
      return administrator->set_key(transaction, new_key);
    }));
    access_->replace_kept_key(std::move(new_key));
    return {};
  }
  Status done = access_->change_user_pin(old_pin, new_pin);
  note_pin(done);
  return done;
}

Status CardToken::set_user_pin(const Pin& new_pin) {
  Status done = access_->set_user_pin(new_pin);
  if (done) {
    known_.with([](Known& known) { known.card.user_pin.reset(); });
  }
  return done;
}

}  // namespace cardea::card
