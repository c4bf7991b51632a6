// Keys of the sample card.
#include "card/sample_applet.h"

namespace cardea::vcard {

namespace {

constexpr Byte always = 2;

// The types of key that the card has, under the numbers of key_type_of.
bool is_offered(KeyType type) {
  return type == KeyType::rsa2048 || type == KeyType::p256 || type == KeyType::p384;
}

Response answer(Result<Bytes> result) {
  if (result) return std::move(*result);
  return result.code() == Code::data_length ? sw::wrong_length : sw::wrong_data;
}

}  // namespace

// P1: the slot, P2: the type. Data: the PIN policy.
Response SampleApplet::generate_key(const Command& command) {
  if (!user_) return sw::security_status_not_satisfied;
  const auto type = key_type_of(command.p2);
  if (command.p1 >= sample_slots || !type || !is_offered(*type)) return sw::function_not_supported;
  if (command.data.size() != 1 || command.data[0] > always) return sw::wrong_data;
  auto key = CardKey::generate(*type);
  if (!key) return sw::unknown_failure;
  changed_ = true;
  state_.keys.insert_or_assign(command.p1, SampleKey{std::move(*key), command.data[0]});
  return sw::ok;
}

// P1: the slot, P2: the type. Data: the PIN policy, then the key as PKCS#8 (RFC 5958).
Response SampleApplet::import_key(const Command& command) {
  if (!user_) return sw::security_status_not_satisfied;
  const auto type = key_type_of(command.p2);
  if (command.p1 >= sample_slots || !type || !is_offered(*type)) return sw::function_not_supported;
  if (command.data.empty() || command.data[0] > always) return sw::wrong_data;
  auto key = CardKey::from_file(ByteView(command.data).subspan(1));
  if (!key || key->type() != *type) return sw::wrong_data;
  changed_ = true;
  state_.keys.insert_or_assign(command.p1, SampleKey{std::move(*key), command.data[0]});
  return sw::ok;
}

Response SampleApplet::delete_key(const Command& command) {
  if (!user_) return sw::security_status_not_satisfied;
  if (state_.keys.erase(command.p1) == 0) return sw::reference_not_found;
  changed_ = true;
  return sw::ok;
}

// P1: 9E ECDSA over the digest (a DER sequence of r and s), 80 RSA without padding, 85 ECDH with the point; P2: the
// slot.
Response SampleApplet::use_key(const Command& command) {
  constexpr Byte sign = 0x9E;
  constexpr Byte bare_rsa = 0x80;
  constexpr Byte agree = 0x85;
  const auto found = state_.keys.find(command.p2);
  if (found == state_.keys.end()) return sw::reference_not_found;
  const SampleKey& entry = found->second;
  if (entry.pin_policy != 0 && !user_) return sw::security_status_not_satisfied;
  if (entry.pin_policy == always) user_ = false;
  if (is_rsa(entry.key.type()) != (command.p1 == bare_rsa)) return sw::conditions_not_satisfied;
  switch (command.p1) {
    case sign:
      return answer(entry.key.sign_digest(command.data));
    case bare_rsa:
      return answer(entry.key.raw_rsa(command.data));
    case agree:
      return answer(entry.key.agree(command.data));
    default:
      return sw::wrong_p1_p2;
  }
}

}  // namespace cardea::vcard
