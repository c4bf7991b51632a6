// GENERATE ASYMMETRIC KEY PAIR (SP 800-73-4 part 2, 3.3.2) and Yubico's import, move and deletion of keys.
#include <optional>

#include "card/piv_applet.h"

namespace cardea::vcard {

namespace {

constexpr std::uint32_t pin_policy_tag = 0xAA;
constexpr std::uint32_t touch_policy_tag = 0xAB;
constexpr Byte deleted = 0xFF;
constexpr std::uint32_t usual_exponent = 65537;

struct Policies {
  PinPolicy pin;
  TouchPolicy touch;
};

// Without a word from the host: 9C asks for the PIN always, 9E never, the others once (SP 800-73-4 part 1, table 4b).
PinPolicy default_pin_policy(Byte slot) {
  if (slot == 0x9C) return PinPolicy::always;
  return slot == 0x9E ? PinPolicy::never : PinPolicy::once;
}

// A policy byte; 0 means the default. Nothing for a value out of range.
std::optional<Byte> policy(ByteView data, std::uint32_t tag, Byte fallback) {
  const auto value = find_tlv(data, tag);
  if (!value) return fallback;
  if (value->size() != 1 || value->front() > 3) return std::nullopt;
  return value->front() == 0 ? fallback : value->front();
}

std::optional<Policies> policies(ByteView data, Byte slot) {
  const auto pin = policy(data, pin_policy_tag, static_cast<Byte>(default_pin_policy(slot)));
  const auto touch = policy(data, touch_policy_tag, static_cast<Byte>(TouchPolicy::never));
  if (!pin || !touch) return std::nullopt;
  return Policies{static_cast<PinPolicy>(*pin), static_cast<TouchPolicy>(*touch)};
}

// Yubico's import: 01 and 02 hold the primes, 06 the scalar of a NIST curve, 07 that of Ed25519, 08 that of
// X25519.
Result<CardKey> imported_key(KeyType type, ByteView data) {
  if (is_rsa(type)) {
    const auto p = find_tlv(data, 0x01);
    const auto q = find_tlv(data, 0x02);
    if (!p || !q) return Code::data_invalid;
    return CardKey::from_primes(type, *p, *q, usual_exponent);
  }
  std::uint32_t tag = 0x06;
  if (type == KeyType::ed25519) tag = 0x07;
  if (type == KeyType::x25519) tag = 0x08;
  const auto scalar = find_tlv(data, tag);
  if (!scalar) return Code::data_invalid;
  return CardKey::from_scalar(type, *scalar);
}

}  // namespace

Response PivApplet::generate_key_pair(const Command& command) {
  if (command.p1 != 0x00 || !piv::is_key_slot(command.p2, state_.profile.vendor_extensions)) return sw::wrong_p1_p2;
  if (!security_.management) return sw::security_status_not_satisfied;
  const auto control = find_tlv(command.data, 0xAC);
  const auto identifier = control ? find_tlv(*control, 0x80) : std::nullopt;
  if (!identifier || identifier->size() != 1) return sw::wrong_data;
  const auto type = key_type_of(identifier->front());
  const auto chosen = policies(*control, command.p2);
  if (!type || !chosen) return sw::wrong_data;
  auto key = CardKey::generate(*type);
  if (!key) return sw::unknown_failure;
  Bytes public_key = make_tlv(0x7F49, piv::public_key_objects(*key));
  changed_ = true;
  state_.keys.insert_or_assign(command.p2, PivKey{std::move(*key), chosen->pin, chosen->touch, KeyOrigin::generated});
  return public_key;
}

Response PivApplet::import_key(const Command& command) {
  if (!piv::is_key_slot(command.p2, true)) return sw::wrong_p1_p2;
  if (!security_.management) return sw::security_status_not_satisfied;
  const auto type = key_type_of(command.p1);
  if (!type) return sw::wrong_p1_p2;
  const auto chosen = policies(command.data, command.p2);
  if (!chosen || !is_tlv_sequence(command.data)) return sw::wrong_data;
  auto key = imported_key(*type, command.data);
  if (!key) return sw::wrong_data;
  changed_ = true;
  state_.keys.insert_or_assign(command.p2, PivKey{std::move(*key), chosen->pin, chosen->touch, KeyOrigin::imported});
  return sw::ok;
}

// P1 names where the key goes, FF nowhere; P2 where it is.
Response PivApplet::move_key(const Command& command) {
  if (!piv::is_key_slot(command.p2, true)) return sw::wrong_p1_p2;
  // The attestation key stays the attestation key.
  const bool removes = command.p1 == deleted;
  if (!removes && (!piv::is_key_slot(command.p1, false) || command.p2 == 0xF9)) return sw::wrong_p1_p2;
  if (!security_.management) return sw::security_status_not_satisfied;
  const auto found = state_.keys.find(command.p2);
  if (found == state_.keys.end()) return sw::reference_not_found;
  if (!removes && state_.keys.count(command.p1) != 0) return sw::conditions_not_satisfied;
  changed_ = true;
  if (!removes) state_.keys.insert_or_assign(command.p1, std::move(found->second));
  state_.keys.erase(command.p2);
  return sw::ok;
}

namespace piv {

Bytes public_key_objects(const CardKey& key) {
  if (!is_rsa(key.type())) return make_tlv(0x86, key.point());
  Bytes out = make_tlv(0x81, key.modulus());
  append_tlv(out, 0x82, key.exponent());
  return out;
}

}  // namespace piv

}  // namespace cardea::vcard
