// GENERAL AUTHENTICATE with a private key (SP 800-73-4 part 2, 3.2.4 and appendix A).
#include "card/piv_applet.h"

namespace cardea::vcard {

namespace {

constexpr std::uint32_t challenge_tag = 0x81;
constexpr std::uint32_t response_tag = 0x82;
constexpr std::uint32_t exponentiation_tag = 0x85;

Response answer(const Result<Bytes>& result) {
  if (!result) return sw::wrong_data;
  return make_tlv(0x7C, make_tlv(response_tag, *result));
}

}  // namespace

Response PivApplet::general_authenticate(const Command& command) {
  const auto dynamic_data = find_tlv(command.data, 0x7C);
  if (!dynamic_data || !is_tlv_sequence(*dynamic_data)) return sw::wrong_data;
  if (command.p2 == piv::key_management_key) return authenticate_management(command, *dynamic_data);
  return use_private_key(command, *dynamic_data);
}

Response PivApplet::use_private_key(const Command& command, ByteView dynamic_data) {
  const auto found = state_.keys.find(command.p2);
  if (found == state_.keys.end() || static_cast<Byte>(found->second.key.type()) != command.p1) return sw::wrong_p1_p2;
  const PivKey& entry = found->second;
  const bool allowed = entry.pin_policy == PinPolicy::never ||
                       (entry.pin_policy == PinPolicy::once && user_verified()) ||
                       (entry.pin_policy == PinPolicy::always && user_verified() && security_.pin_just_verified);
  if (!allowed) return sw::security_status_not_satisfied;
  return compute(entry, dynamic_data);
}

Response PivApplet::compute(const PivKey& entry, ByteView dynamic_data) {
  const CardKey& key = entry.key;
  if (const auto peer = find_tlv(dynamic_data, exponentiation_tag)) return answer(key.agree(*peer));
  const auto challenge = find_tlv(dynamic_data, challenge_tag);
  if (!challenge || challenge->empty()) return sw::wrong_data;
  if (is_rsa(key.type())) return answer(key.raw_rsa(*challenge));
  if (key.type() == KeyType::ed25519) return answer(key.sign_message(*challenge));
  return answer(key.sign_digest(*challenge));
}

}  // namespace cardea::vcard
