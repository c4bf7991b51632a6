// Yubico's documented extensions to PIV: metadata, serial number, version, retry limits, reset.
#include <algorithm>

#include "card/piv_applet.h"

namespace cardea::vcard {

namespace {

void append_byte(Bytes& out, std::uint32_t tag, Byte value) {
  append_tlv(out, tag, ByteView(&value, 1));
}

void append_policies(Bytes& out, Byte pin, TouchPolicy touch) {
  const Byte both[] = {pin, static_cast<Byte>(touch)};
  append_tlv(out, 0x02, both);
}

// Tags: 01 algorithm, 02 policies, 03 origin, 04 public key, 05 initial value, 06 tries.
Bytes key_metadata(const PivKey& entry) {
  Bytes out;
  append_byte(out, 0x01, static_cast<Byte>(entry.key.type()));
  append_policies(out, static_cast<Byte>(entry.pin_policy), entry.touch_policy);
  append_byte(out, 0x03, static_cast<Byte>(entry.origin));
  append_tlv(out, 0x04, piv::public_key_objects(entry.key));
  return out;
}

Bytes pin_metadata(const PinState& pin) {
  Bytes out;
  append_byte(out, 0x01, 0xFF);
  append_byte(out, 0x05, pin.initial ? 1 : 0);
  const Byte tries[] = {static_cast<Byte>(pin.limit), static_cast<Byte>(pin.left)};
  append_tlv(out, 0x06, tries);
  return out;
}

Bytes management_metadata(const ManagementKey& key) {
  Bytes out;
  append_byte(out, 0x01, static_cast<Byte>(key.cipher));
  append_policies(out, 0, key.touch_policy);
  append_byte(out, 0x05, key.initial ? 1 : 0);
  return out;
}

}  // namespace

Response PivApplet::get_metadata(const Command& command) {
  if (command.p1 != 0x00) return sw::wrong_p1_p2;
  switch (command.p2) {
    case piv::pin_reference:
      return pin_metadata(state_.pin);
    case piv::puk_reference:
      return pin_metadata(state_.puk);
    case piv::key_management_key:
      return management_metadata(state_.management);
    default:
      break;
  }
  if (!piv::is_key_slot(command.p2, true)) return sw::wrong_p1_p2;
  const auto found = state_.keys.find(command.p2);
  if (found == state_.keys.end()) return sw::reference_not_found;
  return key_metadata(found->second);
}

Response PivApplet::get_serial(const Command&) {
  const std::uint32_t serial = state_.serial;
  return Bytes{static_cast<Byte>(serial >> 24), static_cast<Byte>(serial >> 16), static_cast<Byte>(serial >> 8),
               static_cast<Byte>(serial)};
}

Response PivApplet::get_version(const Command&) {
  return to_bytes(piv::firmware);
}

// Both values return to those of a new card: their owners choose new ones.
Response PivApplet::set_pin_retries(const Command& command) {
  if (command.p1 == 0 || command.p2 == 0) return sw::wrong_p1_p2;
  if (!security_.management || !user_verified()) return sw::security_status_not_satisfied;
  changed_ = true;
  state_.pin.reset(initial_piv_pin(), command.p1);
  state_.puk.reset(initial_piv_puk(), command.p2);
  set_verified(piv::pin_reference, false);
  return sw::ok;
}

// Where a touch is cached, Yubico's cards ask for another one after 15 seconds; this one asks each time.
bool PivApplet::wants_touch(const Command& command) const {
  if (command.ins != 0x87) return false;
  if (command.p2 == piv::key_management_key) {
    // The touch belongs to the proof, not to the request for a challenge.
    const auto proof = find_tlv(command.data, {0x7C, 0x82});
    const auto witness = find_tlv(command.data, {0x7C, 0x80});
    const bool proves = (proof && !proof->empty()) || (witness && !witness->empty());
    return proves && state_.management.touch_policy != TouchPolicy::never;
  }
  const auto found = state_.keys.find(command.p2);
  return found != state_.keys.end() && found->second.touch_policy != TouchPolicy::never;
}

// Only a card that is of no use any more can be reset.
Response PivApplet::reset_card(const Command& command) {
  if (command.p1p2() != 0) return sw::wrong_p1_p2;
  if (!state_.pin.blocked() || !state_.puk.blocked()) return sw::conditions_not_satisfied;
  changed_ = true;
  reset_piv(state_);
  reset();
  return sw::ok;
}

}  // namespace cardea::vcard
