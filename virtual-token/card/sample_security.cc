// PINs and the administrator of the sample card.
#include "card/block_cipher.h"
#include "card/random.h"
#include "card/sample_applet.h"

namespace cardea::vcard {

namespace {

constexpr Byte user_role = 1;
constexpr Byte admin_role = 2;
constexpr Byte unblock_role = 3;
constexpr std::size_t challenge_size = 16;

StatusWord tries(const PinState& pin) {
  return static_cast<StatusWord>(sw::wrong_pin | pin.left);
}

bool is_pin(ByteView pin) {
  return pin.size() >= sample_shortest_pin && pin.size() <= sample_longest_pin;
}

// Data as a length, that many bytes, and the rest.
struct TwoValues {
  ByteView first;
  ByteView second;
};
std::optional<TwoValues> two_values(ByteView data) {
  if (data.empty() || data[0] >= data.size()) return std::nullopt;
  return TwoValues{data.subspan(1, data[0]), data.subspan(1 + data[0])};
}

}  // namespace

PinState* SampleApplet::reference(Byte role) {
  switch (role) {
    case user_role:
      return &state_.pin;
    case admin_role:
      return &state_.admin;
    case unblock_role:
      return &state_.puk;
    default:
      return nullptr;
  }
}

void SampleApplet::set_verified(Byte role, bool yes) {
  if (role == user_role) user_ = yes;
  if (role == admin_role) admin_ = yes;
}

// P1 FF: forget who was verified. Else P2: the role; data: PIN, PUK, or the administrator's key.
Response SampleApplet::verify(const Command& command) {
  constexpr Byte forget = 0xFF;
  if (command.p1 == forget) {
    reset();
    return sw::ok;
  }
  PinState* const pin = reference(command.p2);
  if (!pin) return sw::wrong_p1_p2;
  if (command.data.empty()) return tries(*pin);
  if (pin->blocked()) return sw::authentication_blocked;
  changed_ = true;
  const bool right = pin->check(command.data);
  set_verified(command.p2, right);
  return right ? sw::ok : tries(*pin);
}

// P2: user or PUK. Data: length of the old one, old, new.
Response SampleApplet::change_pin(const Command& command) {
  PinState* const pin = command.p2 == admin_role ? nullptr : reference(command.p2);
  const auto values = two_values(command.data);
  if (!pin) return sw::wrong_p1_p2;
  if (!values || !is_pin(values->second)) return sw::wrong_length;
  if (pin->blocked()) return sw::authentication_blocked;
  changed_ = true;
  if (!pin->check(values->first)) return tries(*pin);
  pin->set(values->second);
  return sw::ok;
}

// P1 0: data is the length of the PUK, PUK, new PIN. P1 2: the administrator gives the new PIN.
Response SampleApplet::unblock(const Command& command) {
  constexpr Byte by_admin = 2;
  if (command.p1 == by_admin) {
    if (!admin_) return sw::security_status_not_satisfied;
    if (!is_pin(command.data)) return sw::wrong_length;
    changed_ = true;
    state_.pin.set(command.data);
    return sw::ok;
  }
  const auto values = two_values(command.data);
  if (!values || !is_pin(values->second)) return sw::wrong_length;
  if (state_.puk.blocked()) return sw::authentication_blocked;
  changed_ = true;
  if (!state_.puk.check(values->first)) return tries(state_.puk);
  state_.pin.set(values->second);
  return sw::ok;
}

Response SampleApplet::get_challenge(const Command&) {
  challenge_ = random_bytes(challenge_size);
  return challenge_;
}

// Data: the challenge, enciphered with the administrator's key (AES-256, one block).
Response SampleApplet::external_authenticate(const Command& command) {
  const Bytes challenge = std::exchange(challenge_, {});
  if (challenge.empty()) return sw::conditions_not_satisfied;
  if (state_.admin.blocked()) return sw::authentication_blocked;
  const auto plain = decrypt_blocks(BlockCipher::aes256, state_.admin.value.view(), command.data);
  changed_ = true;
  admin_ = plain && equal_in_constant_time(*plain, challenge);
  state_.admin.left = admin_ ? state_.admin.limit : state_.admin.left - 1;
  return admin_ ? sw::ok : tries(state_.admin);
}

Response SampleApplet::set_admin_key(const Command& command) {
  if (!admin_) return sw::security_status_not_satisfied;
  if (command.data.size() != sample_admin_key_size) return sw::wrong_length;
  changed_ = true;
  state_.admin.set(command.data);
  return sw::ok;
}

}  // namespace cardea::vcard
