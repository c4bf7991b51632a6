// PINs of a GIDS card (GIDS 2.0, "CHV Management").
#include <array>

#include "base/tlv.h"
#include "gids/gids_card.h"

namespace cardea::card::gids {
namespace {

constexpr std::size_t min_length = 4;
constexpr std::size_t max_length = 16;

constexpr Byte ins_verify = 0x20;
constexpr Byte ins_change = 0x24;
constexpr Byte ins_reset_retry_counter = 0x2c;

Result<Byte> reference_of(PinRole role) {
  switch (role) {
    case PinRole::user:
      return user_pin;
    case PinRole::global:
      return global_pin;
    case PinRole::unblock:
      return unblocking_pin;
    case PinRole::admin:
      break;
  }
  return error(Code::function_not_supported, "the administrator of this card proves a key, not a PIN");
}

// A PIN of an impossible length is not sent: the card would count it as a wrong one ("VERIFY", conditional usage).
Status check_length(const Pin& pin) {
  return pin.size() < min_length || pin.size() > max_length ? Status(Code::pin_length) : Status();
}

Status outcome(std::uint16_t status) {
  constexpr std::uint16_t ok = 0x9000;
  constexpr std::uint16_t no_such_reference = 0x6a88;
  if (status == ok) return {};
  if (status == no_such_reference) return error(Code::function_not_supported, "the card has no such PIN");
  return status_error(status);
}

PinPad::PinBlock block_on_pad(Byte ins, Byte p1, Byte reference) {
  return {
      .ins = ins, .p1 = p1, .p2 = reference, .min_length = min_length, .max_length = max_length, .padded_length = 0};
}

Status send(CardTransaction& transaction, Byte ins, Byte p1, Byte reference, std::initializer_list<const Pin*> pins) {
  std::size_t size = 0;
  for (const Pin* pin : pins) size += pin->size();
  SecretBytes data(size);
  Byte* at = data.data();
  for (const Pin* pin : pins) at = std::copy(pin->view().begin(), pin->view().end(), at);
  CARDEA_ASSIGN(
      const Response response,
      transaction.transmit(
          {.ins = ins, .p1 = p1, .p2 = reference, .data = data.view(), .expects_data = false, .secret_data = true}));
  return outcome(response.status);
}

// Status objects of the application PIN, of the global PIN, and of the PUK (GIDS 2.0, tables 20 to 22).
constexpr std::uint16_t global_status = 0x7f71;
constexpr std::uint16_t user_status = 0x7f72;
constexpr std::uint16_t unblocking_status = 0x7f73;

Result<PinState> parse_status(ByteView value) {
  constexpr std::uint32_t tries_left = 0x97;
  constexpr std::uint32_t tries_left_of_version_1 = 0x9f17;
  constexpr std::uint32_t limit = 0x93;
  PinState state;
  state.initialized = true;
  for (TlvReader reader(value); !reader.at_end();) {
    CARDEA_ASSIGN(const Tlv object, reader.next());
    if (object.value.size() != 1) continue;
    if (object.tag == tries_left || object.tag == tries_left_of_version_1) state.retries_left = object.value[0];
    if (object.tag == limit) state.retry_limit = object.value[0];
  }
  state.locked = state.retries_left == 0;
  return state;
}

}  // namespace

Status GidsCard::verify(CardTransaction& transaction, PinRole role, const Pin& pin) {
  CARDEA_ASSIGN(const Byte reference, reference_of(role));
  CARDEA_TRY(check_length(pin));
  return send(transaction, ins_verify, 0, reference, {&pin});
}

Status GidsCard::verify_on_pad(CardTransaction&, PinPad& pad, PinRole role) {
  CARDEA_ASSIGN(const Byte reference, reference_of(role));
  CARDEA_ASSIGN(const std::uint16_t status, pad.verify(block_on_pad(ins_verify, 0, reference)));
  return outcome(status);
}

Result<PinState> GidsCard::pin_state(CardTransaction& transaction, PinRole role) {
  CARDEA_ASSIGN(const Byte reference, reference_of(role));
  const std::uint16_t tag = reference == unblocking_pin ? unblocking_status
                            : reference == user_pin     ? user_status
                                                        : global_status;
  Result<Bytes> value = get_object(transaction, {application_file, tag});
  // Cards whose only PIN counts as the global one tell its state there.
  if (!value && tag == user_status && value.code() != Code::device_removed && value.code() != Code::timed_out) {
    value = get_object(transaction, {application_file, global_status});
  }
  if (!value && value.code() == Code::not_found) return error(Code::function_not_supported, "the card has no such PIN");
  if (!value) return std::move(value).error();
  return parse_status(*value);
}

Status GidsCard::change_pin(CardTransaction& transaction, PinRole role, const Pin& old_pin, const Pin& new_pin) {
  CARDEA_ASSIGN(const Byte reference, reference_of(role));
  CARDEA_TRY(check_length(old_pin));
  CARDEA_TRY(check_length(new_pin));
  CARDEA_TRY(send(transaction, ins_change, 0, reference, {&old_pin, &new_pin}));
  // The PIN has changed; a counter that did not move must not make that look like a failure.
  (void)advance(transaction, {.pins = true});
  return {};
}

// PINs of this card are not padded, so a pad does not know where the new one begins behind the old one. It asks for
// them one after the other instead: the card lets a user who has shown the old PIN set the new one alone.
Status GidsCard::change_pin_on_pad(CardTransaction& transaction, PinPad& pad, PinRole role) {
  constexpr Byte new_data_only = 1;
  if (role != PinRole::user) return error(Code::function_not_supported, "a reader's pad changes only the user's PIN");
  if (!pad.modifies()) return error(Code::function_not_supported, "the reader's pad cannot change PINs");
  CARDEA_TRY(verify_on_pad(transaction, pad, role));
  CARDEA_ASSIGN(const std::uint16_t status,
                pad.modify(block_on_pad(ins_change, new_data_only, user_pin), PinPad::Change::new_alone));
  CARDEA_TRY(outcome(status));
  (void)advance(transaction, {.pins = true});  // as above
  return {};
}

Status GidsCard::unblock(CardTransaction& transaction, const Pin& puk, const Pin& new_pin) {
  CARDEA_TRY(check_length(puk));
  CARDEA_TRY(check_length(new_pin));
  CARDEA_TRY(send(transaction, ins_reset_retry_counter, 0, user_pin, {&puk, &new_pin}));
  // As above; moreover the PUK need not open the file with the counters.
  (void)advance(transaction, {.pins = true});
  return {};
}

Status GidsCard::set_user_pin(CardTransaction& transaction, const Pin& new_pin) {
  constexpr Byte new_data_only = 2;
  CARDEA_TRY(check_length(new_pin));
  // Afterwards the card has forgotten the administrator ("RESET RETRY COUNTER", table 67), so the counter goes first.
  CARDEA_TRY(advance(transaction, {.pins = true}));
  return send(transaction, ins_reset_retry_counter, new_data_only, user_pin, {&new_pin});
}

bool GidsCard::deauthenticate(CardTransaction& transaction) {
  const Result<Response> response =
      transaction.transmit({.ins = ins_verify, .p2 = clear_security_status, .expects_data = false});
  return response && response->ok();
}

}  // namespace cardea::card::gids
