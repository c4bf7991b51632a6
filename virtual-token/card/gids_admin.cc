// GENERAL AUTHENTICATE with the administrator's triple DES key (GIDS 2.0, external and mutual authentication).
#include "card/block_cipher.h"
#include "card/gids_applet.h"
#include "card/random.h"

namespace cardea::vcard {

namespace {

constexpr std::size_t external_challenge_size = 8;
constexpr std::size_t mutual_challenge_size = 16;
constexpr std::size_t half_secret_size = 7;
constexpr Byte padding = 0x80;
constexpr std::size_t cryptogram_size = 2 * mutual_challenge_size + half_secret_size + 1;

}  // namespace

Response GidsApplet::general_authenticate(const Command& command) {
  if (!state_.activated) return sw::command_not_allowed;
  if (command.p1p2() != 0) return sw::wrong_p1_p2;
  const auto dynamic_data = find_tlv(command.data, 0x7C);
  if (!dynamic_data || !is_tlv_sequence(*dynamic_data)) return sw::data_invalid;
  const GidsFile* file = security_.admin_key ? key_file(*security_.admin_key) : nullptr;
  if (!file || file->symmetric_key.empty()) return sw::conditions_not_satisfied;
  if (const auto challenge = find_tlv(*dynamic_data, 0x81)) return give_challenge(*challenge);
  const auto response = find_tlv(*dynamic_data, 0x82);
  if (!response) return sw::data_invalid;
  const Challenge kind = std::exchange(security_.challenge, Challenge::none);
  security_.admin = false;
  if (kind == Challenge::external) return check_external(*response, file->symmetric_key.view());
  if (kind == Challenge::mutual) return check_mutual(*response, file->symmetric_key.view());
  return sw::conditions_not_satisfied;
}

// An empty challenge asks for external authentication, one of 16 bytes for mutual authentication.
Response GidsApplet::give_challenge(ByteView host_challenge) {
  if (!host_challenge.empty() && host_challenge.size() != mutual_challenge_size) return sw::data_invalid;
  const bool mutual = !host_challenge.empty();
  security_.admin = false;
  security_.challenge = mutual ? Challenge::mutual : Challenge::external;
  security_.host_challenge = to_bytes(host_challenge);
  security_.card_challenge = random_bytes(mutual ? mutual_challenge_size : external_challenge_size);
  return make_tlv(0x7C, make_tlv(0x81, security_.card_challenge));
}

Response GidsApplet::check_external(ByteView cryptogram, ByteView key) {
  const auto expected = encrypt_blocks(BlockCipher::des3, key, security_.card_challenge);
  if (!expected || !equal_in_constant_time(*expected, cryptogram)) return sw::security_status_not_satisfied;
  security_.admin = true;
  return sw::ok;
}

// The host sends the card's challenge, its own, half a secret and padding; the card answers with the challenges
// exchanged and its half.
Response GidsApplet::check_mutual(ByteView cryptogram, ByteView key) {
  if (cryptogram.size() != cryptogram_size) return sw::security_status_not_satisfied;
  const auto plain = decrypt_chained(BlockCipher::des3, key, cryptogram);
  Bytes expected = security_.card_challenge;
  expected.insert(expected.end(), security_.host_challenge.begin(), security_.host_challenge.end());
  if (!plain || !equal_in_constant_time(ByteView(*plain).first(expected.size()), expected) ||
      plain->back() != padding) {
    return sw::security_status_not_satisfied;
  }
  Bytes answer = security_.host_challenge;
  answer.insert(answer.end(), security_.card_challenge.begin(), security_.card_challenge.end());
  const Bytes half_secret = random_bytes(half_secret_size);
  answer.insert(answer.end(), half_secret.begin(), half_secret.end());
  answer.push_back(padding);
  const auto sealed = encrypt_chained(BlockCipher::des3, key, answer);
  if (!sealed) return sw::unknown_failure;
  security_.admin = true;
  return make_tlv(0x7C, make_tlv(0x82, *sealed));
}

}  // namespace cardea::vcard
