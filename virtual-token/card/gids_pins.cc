// VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (GIDS 2.0, CHV management).
#include <algorithm>

#include "card/gids_applet.h"

namespace cardea::vcard {

namespace {

constexpr Byte forget_everything = 0x82;
constexpr Byte puk_reference = 0x81;
constexpr int puk_tries = 3;

bool has_pin_length(ByteView value) {
  return value.size() >= gids_shortest_pin && value.size() <= gids_longest_pin;
}

StatusWord tries_left(const PinState& pin) {
  if (pin.blocked()) return sw::authentication_blocked;
  return static_cast<StatusWord>(sw::wrong_pin | std::min(pin.left, 15));
}

}  // namespace

// There is one PIN: the global and the application's reference mean the same.
PinState* GidsApplet::reference(Byte p2) {
  switch (p2) {
    case 0x00:
    case 0x80:
      return &state_.pin;
    case puk_reference:
      return state_.puk ? &*state_.puk : nullptr;
    default:
      return nullptr;
  }
}

void GidsApplet::log_out() {
  const auto current = security_.current_file;
  reset();
  security_.current_file = current;
}

Response GidsApplet::verify(const Command& command) {
  if (command.p1 != 0x00) return sw::wrong_p1_p2;
  if (command.p2 == forget_everything) {
    log_out();
    return sw::ok;
  }
  PinState* pin = reference(command.p2);
  if (!pin || command.p2 == puk_reference) return sw::reference_not_found;
  if (command.data.empty()) return security_.user || !state_.activated ? sw::ok : tries_left(*pin);
  if (pin->blocked()) {
    security_.user = false;
    return sw::authentication_blocked;
  }
  // A value that cannot be the PIN is refused without counting.
  if (!has_pin_length(command.data)) return tries_left(*pin);
  const int before = pin->left;
  security_.user = pin->check(command.data);
  changed_ = pin->left != before;
  return security_.user ? sw::ok : tries_left(*pin);
}

// P1 00: old and new value; their border is known from the old value's length.
Response GidsApplet::change_reference_data(const Command& command) {
  if (command.p1 == 0x01) return set_reference_data(command);
  if (command.p1 != 0x00) return sw::wrong_p1_p2;
  PinState* pin = reference(command.p2);
  if (!pin) return sw::reference_not_found;
  if (pin->blocked()) return sw::authentication_blocked;
  const ByteView data = command.data;
  const std::size_t old_size = std::min(pin->value.size(), data.size());
  if (data.size() < 2 * gids_shortest_pin || data.size() > 2 * gids_longest_pin) return tries_left(*pin);
  changed_ = true;
  if (!pin->check(data.first(old_size))) {
    if (command.p2 != puk_reference) security_.user = false;
    return tries_left(*pin);
  }
  if (!has_pin_length(data.subspan(old_size))) return sw::wrong_length;
  pin->set(data.subspan(old_size));
  if (command.p2 != puk_reference) security_.user = true;
  return sw::ok;
}

// P1 01: a new value alone, by the user who is logged in, or by anybody while the card is being initialised.
Response GidsApplet::set_reference_data(const Command& command) {
  if (state_.activated && (command.p2 == puk_reference || !security_.user)) return sw::security_status_not_satisfied;
  if (!has_pin_length(command.data)) return sw::wrong_length;
  if (command.p2 == puk_reference) state_.puk.emplace().reset(command.data, puk_tries);
  PinState* pin = reference(command.p2);
  if (!pin) return sw::reference_not_found;
  changed_ = true;
  pin->set(command.data);
  return sw::ok;
}

// P1 02: a new PIN from the administrator; P1 00: PUK and new PIN.
Response GidsApplet::reset_retry_counter(const Command& command) {
  if (!state_.activated) return sw::command_not_allowed;
  if (command.p1 != 0x00 && command.p1 != 0x02) return sw::wrong_p1_p2;
  if (command.p2 != 0x80) return sw::reference_not_found;
  const ByteView data = command.data;
  if (command.p1 == 0x02) {
    if (!security_.admin) return sw::security_status_not_satisfied;
    if (!has_pin_length(data)) return sw::wrong_length;
    changed_ = true;
    state_.pin.set(data);
    log_out();
    return sw::ok;
  }
  if (!state_.puk) return sw::reference_not_found;
  PinState& puk = *state_.puk;
  if (puk.blocked()) return sw::authentication_blocked;
  const std::size_t puk_size = std::min(puk.value.size(), data.size());
  changed_ = true;
  if (!puk.check(data.first(puk_size))) return tries_left(puk);
  if (!has_pin_length(data.subspan(puk_size))) return sw::wrong_length;
  state_.pin.set(data.subspan(puk_size));
  return sw::ok;
}

}  // namespace cardea::vcard
