#include "cards/card_access.h"

namespace cardea::card {
namespace {

/// What a command for another application, or without the security status, is answered with.
bool may_be_stale(Code code) {
  switch (code) {
    case Code::user_not_logged_in:
    case Code::function_not_supported:
    case Code::not_found:
    case Code::device_error:
    case Code::data_invalid:
    case Code::arguments_bad:
      return true;
    default:
      return false;
  }
}

Pin copy_of(const Pin& pin) {
  return Pin(pin.view());
}

}  // namespace

CardAccess::CardAccess(CardChannelPtr channel, std::span<const CardKind> kinds, std::string likely,
                       std::unique_ptr<SharedState> queue)
    : channel_(std::move(channel)), kinds_(kinds), queue_(std::move(queue)), kind_(std::move(likely)) {}

std::string CardAccess::kind() const {
  const std::lock_guard lock(busy_);
  return kind_;
}

Result<CardTransaction> CardAccess::begin() {
  queue_->line_up();
  Result<CardTransaction> transaction = CardTransaction::begin(channel_);
  queue_->step_out();
  return transaction;
}

Status CardAccess::in_transaction(const Work& work) {
  if (removed()) return Code::device_removed;
  const auto note = [this](Error failure) -> Status {
    if (failure.code == Code::token_absent) failure.code = Code::device_removed;
    if (failure.code == Code::device_removed) mark_removed();
    return failure;
  };
  Result<CardTransaction> transaction = begin();
  if (!transaction) return note(std::move(transaction).error());
  if (transaction->card_was_reset()) forget_card_state();
  selected_here_ = false;
  if (module_) {
    if (Status done = work(*module_, *transaction); !done) return note(std::move(done).error());
    return {};
  }
  Result<RecognisedCard> recognised = recognise(*transaction, kinds_, kind_);
  if (!recognised) return note(std::move(recognised).error());
  kind_ = std::move(recognised->kind);
  module_ = std::move(recognised->module);
  selected_ = selected_here_ = true;
  if (Status done = work(*module_, *transaction); !done) return note(std::move(done).error());
  return {};
}

Status CardAccess::select(CardTransaction& transaction) {
  CARDEA_TRY(module_->select(transaction));
  selected_ = selected_here_ = true;
  return {};
}

Status CardAccess::establish(CardTransaction& transaction, Need need) {
  const bool unproven =
      (need == Need::user && !user_verified_) || (need == Need::administrator && !administrator_verified_);
  // A PIN is for this application and no other, so here nothing is taken on trust.
  if (!selected_ || (unproven && !selected_here_)) CARDEA_TRY(select(transaction));
  if (!unproven) return {};
  return need == Need::user ? verify_again(transaction) : authenticate_again(transaction);
}

Status CardAccess::verify_again(CardTransaction& transaction) {
  if (!user_logged_in_) return Code::user_not_logged_in;
  if (!user_pin_) return error(Code::user_not_logged_in, "the card forgot the login and the PIN must be typed again");
  if (const Result<PinState> state = module_->pin_state(transaction, PinRole::user)) {
    if (state->locked || (state->retries_left && *state->retries_left <= 1)) {
      return error(Code::user_not_logged_in, "the last try of the PIN is left to who types it");
    }
  }
  Status verified = module_->verify(transaction, PinRole::user, *user_pin_);
  if (!verified && (verified.code() == Code::pin_incorrect || verified.code() == Code::pin_locked)) {
    user_pin_.reset();  // changed by somebody else; never to be sent again
    return error(Code::user_not_logged_in, "the card no longer takes the PIN of this login");
  }
  CARDEA_TRY(std::move(verified));
  user_verified_ = true;
  return {};
}

Status CardAccess::authenticate_again(CardTransaction& transaction) {
  CardAdministrator* const administrator = module_->administrator();
  if (administrator == nullptr) return Code::token_write_protected;
  if (!administrator_key_) {
    return error(Code::user_not_logged_in,
                 "this needs the administrator: log in as security officer, or name the key in "
                 "the configuration (card.admin_key_file)");
  }
  const SecretBytes factory_key = administrator->factory_key();
  if (administrator_key_->empty() && factory_key.empty()) {
    return error(Code::user_not_logged_in, "cards of this kind have no administrator's key from the factory");
  }
  Status done =
      administrator->authenticate(transaction, administrator_key_->empty() ? factory_key : *administrator_key_);
  if (!done && (done.code() == Code::pin_incorrect || done.code() == Code::pin_locked)) {
    administrator_key_.reset();
    return error(Code::user_not_logged_in, "the card does not take the administrator's key");
  }
  CARDEA_TRY(std::move(done));
  administrator_verified_ = true;
  return {};
}

Status CardAccess::run(Need need, const Work& work) {
  const std::lock_guard lock(busy_);
  // Said before the card is troubled.
  if (need == Need::user && !user_logged_in_) return Code::user_not_logged_in;
  return in_transaction([&](CardModule& module, CardTransaction& transaction) -> Status {
    CARDEA_TRY(establish(transaction, need));
    Status done = work(module, transaction);
    if (done || selected_here_ || !may_be_stale(done.code())) return done;
    forget_card_state();
    CARDEA_TRY(establish(transaction, need));
    return work(module, transaction);
  });
}

Status CardAccess::run_selected(const Work& work) {
  const std::lock_guard lock(busy_);
  return in_transaction([&](CardModule& module, CardTransaction& transaction) -> Status {
    if (!selected_here_) CARDEA_TRY(select(transaction));
    return work(module, transaction);
  });
}

void CardAccess::forget_pin_of_pad() {
  user_pin_.reset();
  channel_->keep_connected(true);  // it cannot be shown again, so the card must not lose it
}

Status CardAccess::login_user(const Pin& pin) {
  return run_selected([&](CardModule& module, CardTransaction& transaction) -> Status {
    user_verified_ = false;  // a wrong PIN ends what a right one began
    PinPad* const pad = pin.size() == 0 ? transaction.pin_pad() : nullptr;
    if (pad != nullptr) {
      CARDEA_TRY(module.verify_on_pad(transaction, *pad, PinRole::user));
      forget_pin_of_pad();
    } else {
      CARDEA_TRY(module.verify(transaction, PinRole::user, pin));
      user_pin_ = copy_of(pin);
    }
    user_logged_in_ = user_verified_ = true;
    return {};
  });
}

Status CardAccess::login_administrator(SecretBytes key) {
  return run_selected([&](CardModule& module, CardTransaction& transaction) -> Status {
    CardAdministrator* const administrator = module.administrator();
    if (administrator == nullptr) return Code::user_type_invalid;
    CARDEA_TRY(administrator->authenticate(transaction, key));
    administrator_key_ = std::move(key);
    administrator_verified_ = true;
    return {};
  });
}

Status CardAccess::login_puk(const Pin& puk) {
  return run_selected([&](CardModule& module, CardTransaction& transaction) -> Status {
    CARDEA_TRY(module.confirm_puk(transaction, puk));
    puk_ = copy_of(puk);
    return {};
  });
}

bool CardAccess::has_puk() const {
  const std::lock_guard lock(busy_);
  return puk_.has_value();
}

Status CardAccess::set_user_pin(const Pin& new_pin) {
  if (has_puk()) {
    return run_selected([&](CardModule& module, CardTransaction& transaction) {
      return unblock_by_kept_puk(module, transaction, new_pin);
    });
  }
  return run(Need::administrator, [&](CardModule& module, CardTransaction& transaction) {
    return module.administrator()->set_user_pin(transaction, new_pin);
  });
}

Status CardAccess::unblock_by_kept_puk(CardModule& module, CardTransaction& transaction, const Pin& new_pin) {
  if (!puk_) return error(Code::user_not_logged_in, "the PUK must be typed again");
  const Result<PinState> state = module.pin_state(transaction, PinRole::unblock);
  if (state && (state->locked || (state->retries_left && *state->retries_left <= 1))) {
    return error(Code::user_not_logged_in, "the last try of the PUK is left to who types it");
  }
  Status done = module.unblock(transaction, *puk_, new_pin);
  if (!done && (done.code() == Code::pin_incorrect || done.code() == Code::pin_locked)) {
    puk_.reset();  // changed by somebody else; never to be sent again
    return error(Code::user_not_logged_in, "the card no longer takes the PUK of this login");
  }
  return done;
}

Status CardAccess::change_puk(const Pin& old_puk, const Pin& new_puk) {
  return run_selected([&](CardModule& module, CardTransaction& transaction) -> Status {
    CARDEA_TRY(module.change_pin(transaction, PinRole::unblock, old_puk, new_puk));
    if (puk_) puk_ = copy_of(new_puk);
    return {};
  });
}

Status CardAccess::change_user_pin(const Pin& old_pin, const Pin& new_pin) {
  return run_selected([&](CardModule& module, CardTransaction& transaction) -> Status {
    PinPad* const pad = old_pin.size() == 0 && new_pin.size() == 0 ? transaction.pin_pad() : nullptr;
    if (pad == nullptr) {
      CARDEA_TRY(module.change_pin(transaction, PinRole::user, old_pin, new_pin));
      if (user_pin_) user_pin_ = copy_of(new_pin);
      return {};
    }
    CARDEA_TRY(module.change_pin_on_pad(transaction, *pad, PinRole::user));
    if (user_logged_in_) forget_pin_of_pad();
    return {};
  });
}

void CardAccess::logout(bool close) {
  const std::lock_guard lock(busy_);
  const bool verified = user_verified_ || administrator_verified_;
  if (user_logged_in_ && !user_pin_) channel_->keep_connected(false);
  user_logged_in_ = user_verified_ = administrator_verified_ = false;
  user_pin_.reset();
  administrator_key_.reset();
  puk_.reset();
  if (!close || !verified || !module_) return;
  // A card that cannot be reached has lost its status, or will with its power.
  static_cast<void>(in_transaction([&](CardModule& module, CardTransaction& transaction) -> Status {
                      if (transaction.card_was_reset()) return {};
                      if (!module.deauthenticate(transaction)) transaction.reset_at_end();
                      return {};
                    }).ok());
}

void CardAccess::replace_kept_key(SecretBytes key) {
  const std::lock_guard lock(busy_);
  if (administrator_key_) administrator_key_ = std::move(key);
}

void CardAccess::lend_administrator_key(SecretBytes key) {
  const std::lock_guard lock(busy_);
  administrator_key_ = std::move(key);
}

}  // namespace cardea::card
