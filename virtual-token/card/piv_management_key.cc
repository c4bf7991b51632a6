// The card management key 9B: external and mutual authentication (SP 800-73-4 part 2, appendix A.1) and its change.
#include "card/piv_applet.h"
#include "card/random.h"

namespace cardea::vcard {

namespace {

constexpr std::uint32_t witness_tag = 0x80;
constexpr std::uint32_t challenge_tag = 0x81;
constexpr std::uint32_t response_tag = 0x82;

}  // namespace

Response PivApplet::authenticate_management(const Command& command, ByteView dynamic_data) {
  const auto cipher = block_cipher_of(command.p1);
  if (!cipher || *cipher != state_.management.cipher) return sw::wrong_p1_p2;
  const auto witness = find_tlv(dynamic_data, witness_tag);
  const auto challenge = find_tlv(dynamic_data, challenge_tag);
  const auto response = find_tlv(dynamic_data, response_tag);
  if (witness && witness->empty()) return give_witness();
  if (witness) return check_witness(*witness, dynamic_data);
  if (challenge && challenge->empty()) return give_challenge();
  if (response) return check_response(*response);
  return sw::wrong_data;
}

Response PivApplet::give_witness() {
  const ManagementKey& key = state_.management;
  security_.challenge.clear();
  security_.witness = random_bytes(block_size(key.cipher));
  const auto sealed = encrypt_blocks(key.cipher, key.value.view(), security_.witness);
  if (!sealed) return sw::unknown_failure;
  return make_tlv(0x7C, make_tlv(witness_tag, *sealed));
}

Response PivApplet::give_challenge() {
  security_.witness.clear();
  security_.challenge = random_bytes(block_size(state_.management.cipher));
  return make_tlv(0x7C, make_tlv(challenge_tag, security_.challenge));
}

// A witness or challenge serves once, whatever the outcome.
Response PivApplet::check_witness(ByteView answer, ByteView dynamic_data) {
  const Bytes expected = std::move(security_.witness);
  security_.witness.clear();
  security_.management = false;
  if (expected.empty() || !equal_in_constant_time(expected, answer)) return sw::security_status_not_satisfied;
  const ManagementKey& key = state_.management;
  const auto challenge = find_tlv(dynamic_data, challenge_tag);
  if (!challenge || challenge->size() != block_size(key.cipher)) return sw::wrong_data;
  const auto response = encrypt_blocks(key.cipher, key.value.view(), *challenge);
  if (!response) return sw::unknown_failure;
  security_.management = true;
  return make_tlv(0x7C, make_tlv(response_tag, *response));
}

Response PivApplet::check_response(ByteView answer) {
  const Bytes challenge = std::move(security_.challenge);
  security_.challenge.clear();
  security_.management = false;
  if (challenge.empty()) return sw::conditions_not_satisfied;
  const ManagementKey& key = state_.management;
  const auto expected = encrypt_blocks(key.cipher, key.value.view(), challenge);
  if (!expected) return sw::unknown_failure;
  if (!equal_in_constant_time(*expected, answer)) return sw::security_status_not_satisfied;
  security_.management = true;
  return sw::ok;
}

Response PivApplet::set_management_key(const Command& command) {
  if (command.p1 != 0xFF || (command.p2 != 0xFF && command.p2 != 0xFE)) return sw::wrong_p1_p2;
  if (!security_.management) return sw::security_status_not_satisfied;
  const ByteView data = command.data;
  if (data.size() < 3 || data[1] != piv::key_management_key) return sw::wrong_data;
  const auto cipher = block_cipher_of(data[0]);
  const ByteView value = data.subspan(3);
  if (!cipher || data[2] != value.size() || value.size() != key_size(*cipher) || is_weak_key(*cipher, value)) {
    return sw::wrong_data;
  }
  changed_ = true;
  state_.management.cipher = *cipher;
  state_.management.value = SecretBytes(value);
  state_.management.touch_policy = command.p2 == 0xFE ? TouchPolicy::always : TouchPolicy::never;
  state_.management.initial = false;
  return sw::ok;
}

}  // namespace cardea::vcard
