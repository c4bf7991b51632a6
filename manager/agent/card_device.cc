#include "agent/card_device.h"

#include <fmt/format.h>

#include "agent/container_names.h"
#include "agent/key_use.h"
#include "cards/recognise.h"
#include "cards/shared_state.h"
#include "piv/card_facts.h"
#include "piv/key_references.h"

namespace cardea::agent {
namespace {

using card::PinRole;

constexpr std::string_view piv_kind = "piv";

/// The PIN of every new PIV card; the standard leaves it to the issuer, and makers agree on this one.
Pin factory_piv_pin() {
  return Pin(view_of("123456"));
}

/// Something that cannot be told is no failure.
bool passes(const Error& error) {
  return error.code != Code::device_removed && error.code != Code::timed_out;
}

/// What became of a change whose old secret the card refused: done, if the card takes the new one.
Status or_done_before(const Status& refused, const Status& fresh_one) {
  return fresh_one || !passes(fresh_one.error()) ? fresh_one : refused;
}

}  // namespace

Result<std::unique_ptr<CardDevice>> CardDevice::open(card::CardChannelPtr channel,
                                                     std::filesystem::path runtime_directory) {
  if (!channel) return Code::device_removed;
  std::unique_ptr<CardDevice> device(new CardDevice(std::move(channel), std::move(runtime_directory)));
  CARDEA_ASSIGN(card::CardTransaction transaction, card::CardTransaction::begin(device->channel_));
  CARDEA_ASSIGN(card::RecognisedCard recognised, card::recognise(transaction, card::card_kinds()));
  device->kind_ = std::move(recognised.kind);
  device->module_ = std::move(recognised.module);
  CARDEA_ASSIGN(device->about_, device->module_->describe(transaction));
  if (!device->is_piv() || device->has_makers_serial()) return device;
  CARDEA_ASSIGN(const std::optional<std::uint32_t> number, card::piv::CardFacts::vendor_serial(transaction));
  if (number.value_or(0) != 0) device->maker_number_ = fmt::format("{}", *number);
  return device;
}

CardDevice::~CardDevice() {
  end_login_of_pad();
  if (written_) tell_of_writing();
}

void CardDevice::tell_of_writing() const {
  if (!runtime_directory_.empty()) card::SharedState(runtime_directory_, about_.identity).stamp_anew();
}

bool CardDevice::is_piv() const noexcept {
  return kind_ == piv_kind;
}

bool CardDevice::has_makers_serial() const noexcept {
  return about_.manufacturer == "Yubico";
}

Result<CardDevice::Work> CardDevice::begin() {
  card::CardAdministrator* const administrator = module_->administrator();
  if (administrator == nullptr) return error(Code::token_write_protected, "cards of this kind cannot be written");
  CARDEA_ASSIGN(card::CardTransaction transaction, card::CardTransaction::begin(channel_));
  open_by_pad_ = open_by_pad_ && !transaction.card_was_reset();
  // Some cards take the selection of what is selected already for a reason to forget the PIN.
  const bool selected = open_by_pad_ && module_->pin_state(transaction, PinRole::user).ok();
  if (!selected) CARDEA_TRY(module_->select(transaction));
  return Work{std::move(transaction), administrator};
}

Result<std::optional<Pin>> CardDevice::user_pin(Authority& authority, bool refused) {
  bool is_last = false;
  bool has_pad = false;
  {
    CARDEA_ASSIGN(Work work, begin());
    const Result<PinState> state = module_->pin_state(work.transaction, PinRole::user);
    if (!state && !passes(state.error())) return state.error();
    is_last = state && state->retries_left == 1;
    has_pad = work.transaction.pin_pad() != nullptr && !pad_fails_;
  }
  if (has_pad) {
    CARDEA_ASSIGN(const bool on_pad, authority.types_on_pad(refused, is_last));
    if (on_pad) return std::optional<Pin>();
  }
  CARDEA_ASSIGN(Pin pin, is_last ? authority.last_user_pin() : authority.user_pin(refused));
  return std::optional<Pin>(std::move(pin));
}

// A PIN typed on the pad cannot be shown again, so the card keeps it for the work that follows: until somebody resets
// the card, at the latest until this device goes.
Status CardDevice::show_user(Work& work, const std::optional<Pin>& pin) {
  if (pin) {
    // A card has one security status for all programs.
    work.transaction.reset_at_end();
    return module_->verify(work.transaction, PinRole::user, *pin);
  }
  CARDEA_TRY(module_->verify_on_pad(work.transaction, *work.transaction.pin_pad(), PinRole::user));
  open_by_pad_ = true;
  channel_->keep_connected(true);
  return {};
}

Status CardDevice::in_login_of_pad(const Writing& what) {
  if (!open_by_pad_) return Code::user_not_logged_in;
  CARDEA_ASSIGN(Work work, begin());
  return open_by_pad_ ? what(work) : Status(Code::user_not_logged_in);
}

void CardDevice::end_login_of_pad() noexcept {
  if (!open_by_pad_) return;
  // A card that cannot be reached has lost its status, or will with its power.
  if (Result<card::CardTransaction> last = card::CardTransaction::begin(channel_)) last->reset_at_end();
  channel_->keep_connected(false);
}

Status CardDevice::as_user(Authority& authority, const Writing& what) {
  // Also a key that wants the PIN each time answers so.
  if (Status done = in_login_of_pad(what); done || done.code() != Code::user_not_logged_in) return done;
  for (bool refused = false;;) {
    // Asked for before the card is taken, so that nobody else waits for a person's typing.
    CARDEA_ASSIGN(const std::optional<Pin> pin, user_pin(authority, refused));
    CARDEA_ASSIGN(Work work, begin());
    const Status shown = show_user(work, pin);
    if (shown) return what(work);
    if (!pin && shown.code() == Code::function_not_supported) {
      pad_fails_ = true;
      continue;
    }
    refused = true;
    if (shown.code() != Code::pin_incorrect && shown.code() != Code::pin_length) return shown;
    if (shown.error().retries_left == 0) return shown;
  }
}

Status CardDevice::show_administrator(Work& work, Authority& authority) {
  work.transaction.reset_at_end();
  for (int attempt = 0;; ++attempt) {
    CARDEA_ASSIGN(const Bytes challenge, work.administrator->challenge(work.transaction));
    const AdminChallenge question{work.administrator->challenge_algorithm(), challenge};
    CARDEA_ASSIGN(const Bytes answer, authority.answer(question, attempt));
    Status shown = work.administrator->answer_challenge(work.transaction, answer);
    if (shown || shown.code() != Code::pin_incorrect) return shown;
  }
}

Status CardDevice::as_administrator(Authority& authority, const Writing& what) {
  CARDEA_ASSIGN(Work work, begin());
  CARDEA_TRY(show_administrator(work, authority));
  return what(work);
}

Status CardDevice::as_writer(Authority& authority, const Writing& what) {
  const auto writing = [&](Work& work) {
    written_ = true;
    return what(work);
  };
  return about_.user_writes ? as_user(authority, writing) : as_administrator(authority, writing);
}

std::string CardDevice::container_name(const card::ContainerPlace& place) const {
  if (is_piv()) return piv_container_name(place.index);
  return place.label.empty() ? fmt::format("{}", place.index) : place.label;
}

Status CardDevice::describe_pins(Work& work, DeviceDescription& about) {
  const Result<PinState> admin = module_->pin_state(work.transaction, PinRole::admin);
  if (!admin && !passes(admin.error())) return admin.error();
  const Result<PinState> puk = module_->pin_state(work.transaction, PinRole::unblock);
  if (!puk && !passes(puk.error())) return puk.error();
  CARDEA_ASSIGN(about.user_pin, module_->pin_state(work.transaction, PinRole::user));
  // A card that tells this of its administrator's key tells it of its PINs.
  if (!admin) return {};
  about.factory.admin_key = admin->to_be_changed;
  about.factory.user_pin = about.user_pin.to_be_changed;
  if (puk) about.factory.puk = puk->to_be_changed;
  return {};
}

Status CardDevice::describe_containers(Work& work, DeviceDescription& about) {
  CARDEA_ASSIGN(const std::vector<Spot> all, spots(work));
  std::size_t retired = 0;
  for (const Spot& spot : all) {
    if (!spot.held) {
      if (!is_piv()) ++about.free_history;
      continue;
    }
    if (is_piv() && card::piv::is_retired(spot.place.index)) ++retired;
    about.containers.push_back({container_name(spot.place), spot.held->has_key, spot.held->local, spot.held->public_key,
                                spot.held->certificate});
  }
  if (is_piv()) about.free_history = card::piv::retired_count - retired;
  return {};
}

Result<DeviceDescription> CardDevice::describe() {
  CARDEA_ASSIGN(Work work, begin());
  DeviceDescription about;
  about.kind = kind_;
  about.serial = about_.serial;
  about.label = about_.label;
  about.model = about_.model;
  about.min_pin_length = about_.min_pin_length;
  about.max_pin_length = about_.max_pin_length;
  about.has_pin_pad = work.transaction.pin_pad() != nullptr;
  about.user_writes = about_.user_writes;
  about.blank = !about_.initialized;
  if (about.blank) return about;
  CARDEA_TRY(describe_pins(work, about));
  CARDEA_TRY(describe_containers(work, about));
  CARDEA_ASSIGN(about.lacks_card_uuid, lacks_card_uuid(work));
  CARDEA_ASSIGN(about.number_object, number_object(work));
  card::ContainerPlace attesting;
  attesting.index = card::piv::key_attestation;
  const Result<Bytes> attestation = work.administrator->attest(work.transaction, attesting);
  if (!attestation && !passes(attestation.error())) return attestation.error();
  about.attests = attestation.ok();
  // Last, because no command may come between a challenge and its answer, and this one gets none.
  const Result<Bytes> challenge = work.administrator->challenge(work.transaction);
  if (!challenge && !passes(challenge.error())) return challenge.error();
  if (challenge) about.admin_algorithm = work.administrator->challenge_algorithm();
  return about;
}

Status CardDevice::prove_administrator(Authority& authority) {
  return as_administrator(authority, [](Work&) { return Status(); });
}

Status CardDevice::prove_user(Authority& authority) {
  return as_user(authority, [](Work&) { return Status(); });
}

Status CardDevice::set_admin_key(Authority& authority, const SecretBytes& fresh) {
  written_ = true;
  CARDEA_ASSIGN(Work work, begin());
  const Status proved = show_administrator(work, authority);
  if (proved) return work.administrator->set_key(work.transaction, fresh);
  if (proved.code() != Code::pin_incorrect) return proved;
  // What an earlier attempt may have done before it was cut off.
  return or_done_before(proved, work.administrator->authenticate(work.transaction, fresh));
}

Status CardDevice::set_puk(Authority& authority, const Pin& fresh) {
  CARDEA_ASSIGN(const Pin old_puk, authority.unblocking_secret());
  CARDEA_ASSIGN(Work work, begin());
  const Status changed = module_->change_pin(work.transaction, PinRole::unblock, old_puk, fresh);
  if (changed || changed.code() != Code::pin_incorrect) return changed;
  return or_done_before(changed, module_->change_pin(work.transaction, PinRole::unblock, fresh, fresh));
}

Status CardDevice::set_first_pin(Authority& authority, const Pin& fresh) {
  if (!is_piv()) return set_user_pin(authority, fresh);
  CARDEA_ASSIGN(Work work, begin());
  work.transaction.reset_at_end();
  const Status changed = module_->change_pin(work.transaction, PinRole::user, factory_piv_pin(), fresh);
  if (changed || changed.code() != Code::pin_incorrect) return changed;
  return or_done_before(changed, module_->verify(work.transaction, PinRole::user, fresh));
}

Status CardDevice::set_user_pin(Authority& authority, const Pin& fresh) {
  if (!is_piv()) {
    return as_administrator(authority,
                            [&](Work& work) { return work.administrator->set_user_pin(work.transaction, fresh); });
  }
  CARDEA_ASSIGN(const Pin puk, authority.unblocking_secret());
  CARDEA_ASSIGN(Work work, begin());
  work.transaction.reset_at_end();
  return module_->unblock(work.transaction, puk, fresh);
}

Status CardDevice::change_user_pin(const Pin& old_pin, const Pin& fresh) {
  CARDEA_ASSIGN(Work work, begin());
  work.transaction.reset_at_end();
  return module_->change_pin(work.transaction, PinRole::user, old_pin, fresh);
}

// Eight random digits are wrong but for one time in a hundred million, and then the next entry follows.
Status CardDevice::lock_user_pin(Work& work) {
  constexpr std::size_t digits = 8;
  constexpr int most_tries = 256;
  for (int i = 0; i < most_tries; ++i) {
    CARDEA_ASSIGN(const Pin wrong, random_digits(digits));
    const Status shown = module_->verify(work.transaction, PinRole::user, wrong);
    if (!shown && shown.code() == Code::pin_locked) return {};
    if (!shown && shown.code() != Code::pin_incorrect) return shown;
  }
  return error(Code::function_failed, "the card does not lock its PIN");
}

Status CardDevice::block_user_pin(Authority&) {
  CARDEA_ASSIGN(Work work, begin());
  work.transaction.reset_at_end();
  return lock_user_pin(work);
}

}  // namespace cardea::agent
