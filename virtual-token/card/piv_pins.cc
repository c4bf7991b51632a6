// VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (SP 800-73-4 part 2, 3.2.1 to 3.2.3).
#include <algorithm>

#include "card/piv_applet.h"

namespace cardea::vcard {

namespace {

constexpr std::size_t pin_size = 8;
constexpr std::size_t shortest_pin = 6;

// Six to eight bytes, filled up with FF to eight (part 2, 2.4.3). A real card may insist on digits; Yubico's do not.
bool is_pin(ByteView value) {
  if (value.size() != pin_size) return false;
  const auto padding = std::find(value.begin(), value.end(), 0xFF);
  return padding - value.begin() >= static_cast<std::ptrdiff_t>(shortest_pin) &&
         std::all_of(padding, value.end(), [](Byte byte) { return byte == 0xFF; });
}

StatusWord tries_left(const PinState& pin) {
  if (pin.blocked()) return sw::authentication_blocked;
  return static_cast<StatusWord>(sw::wrong_pin | std::min(pin.left, 15));
}

}  // namespace

PinState* PivApplet::reference(Byte p2) {
  switch (p2) {
    case piv::pin_reference:
      return &state_.pin;
    case piv::puk_reference:
      return &state_.puk;
    case piv::global_pin_reference:
      return state_.global_pin ? &*state_.global_pin : nullptr;
    default:
      return nullptr;
  }
}

void PivApplet::set_verified(Byte p2, bool yes) {
  if (p2 == piv::pin_reference) security_.pin = yes;
  if (p2 == piv::global_pin_reference) security_.global_pin = yes;
  security_.pin_just_verified = yes;
}

bool PivApplet::verified(Byte p2) const {
  return p2 == piv::pin_reference ? security_.pin : security_.global_pin;
}

Response PivApplet::verify(const Command& command) {
  PinState* pin = reference(command.p2);
  if (!pin || command.p2 == piv::puk_reference) return sw::reference_not_found;
  if (command.p1 == 0xFF) {
    if (!command.data.empty()) return sw::wrong_data;
    set_verified(command.p2, false);
    return sw::ok;
  }
  if (command.p1 != 0x00) return sw::wrong_p1_p2;
  if (command.data.empty()) return verified(command.p2) ? sw::ok : tries_left(*pin);
  if (pin->blocked()) {
    set_verified(command.p2, false);
    return sw::authentication_blocked;
  }
  if (!is_pin(command.data)) return sw::wrong_data;
  const int before = pin->left;
  const bool right = pin->check(command.data);
  changed_ = pin->left != before;
  set_verified(command.p2, right);
  return right ? sw::ok : tries_left(*pin);
}

Response PivApplet::change_reference_data(const Command& command) {
  PinState* pin = reference(command.p2);
  if (!pin) return sw::reference_not_found;
  if (command.p1 != 0x00) return sw::wrong_p1_p2;
  if (pin->blocked()) return sw::authentication_blocked;
  if (command.data.size() != 2 * pin_size) return sw::wrong_data;
  const ByteView old_value = ByteView(command.data).first(pin_size);
  const ByteView new_value = ByteView(command.data).last(pin_size);
  const bool is_puk = command.p2 == piv::puk_reference;
  if (!is_puk && !is_pin(new_value)) return sw::wrong_data;
  changed_ = true;
  if (!pin->check(old_value)) {
    if (!is_puk) set_verified(command.p2, false);
    return tries_left(*pin);
  }
  pin->set(new_value);
  if (!is_puk) set_verified(command.p2, true);
  return sw::ok;
}

Response PivApplet::reset_retry_counter(const Command& command) {
  if (command.p1 != 0x00) return sw::wrong_p1_p2;
  if (command.p2 != piv::pin_reference) return sw::reference_not_found;
  if (state_.puk.blocked()) return sw::authentication_blocked;
  if (command.data.size() != 2 * pin_size) return sw::wrong_data;
  const ByteView new_value = ByteView(command.data).last(pin_size);
  if (!is_pin(new_value)) return sw::wrong_data;
  changed_ = true;
  if (!state_.puk.check(ByteView(command.data).first(pin_size))) return tries_left(state_.puk);
  state_.pin.set(new_value);
  return sw::ok;
}

}  // namespace cardea::vcard
