// The administrator's key of a GIDS card: three-key triple DES (GIDS 2.0, "Mutual Authentication with Symmetric
// Algorithm", "External Authentication with Symmetric Algorithm", "Administrative Key").
#include <algorithm>
#include <array>

#include "base/tlv.h"
#include "crypto/random.h"
#include "crypto/symmetric_key.h"
#include "gids/gids_card.h"

namespace cardea::card::gids {
namespace {

constexpr std::size_t key_size = 24;
constexpr std::size_t nonce_size = 16;       // R1 and R2
constexpr std::size_t half_secret_size = 7;  // Z1 (table 30: 14 bytes in all)
constexpr std::size_t cryptogram_size = 40;  // R2, R1, Z1 and one byte of padding
constexpr std::size_t short_challenge_size = 8;

constexpr Byte mutual_protocol = 0x80;  // table 9
constexpr Byte external_protocol = 0x40;

constexpr Byte dynamic_authentication = 0x7c;  // table 47
constexpr Byte challenge_object = 0x81;
constexpr Byte response_object = 0x82;

Result<Bytes> triple_des(ByteView key, crypto::Direction direction, crypto::Cipher mode, ByteView input) {
  constexpr std::array<Byte, 8> zero_iv{};
  const crypto::SymmetricKeyPtr ready = crypto::SymmetricKey::make(SecretBytes(key));
  CARDEA_ASSIGN(crypto::CipherContext context, ready->cipher(mode, direction));
  CARDEA_TRY(context.start(mode == crypto::Cipher::triple_des_cbc ? ByteView(zero_iv) : ByteView()));
  Bytes out(input.size() + zero_iv.size());
  CARDEA_ASSIGN(const std::size_t size, context.update(input, out));
  out.resize(size);
  if (size != input.size()) return Code::internal;
  return out;
}

// Sends one dynamic authentication object; the value of the same kind of object in the answer, which may be absent.
Result<Bytes> general_authenticate(CardTransaction& transaction, Byte tag, ByteView value, bool answers) {
  const Bytes data = make_tlv(dynamic_authentication, make_tlv(tag, value));
  CARDEA_ASSIGN(const Response response,
                transaction.transmit({.ins = 0x87, .data = data, .expects_data = answers, .secret_data = true}));
  if (!response.ok()) {
    // Table 48: 6982 says that the authentication failed. There is no counter.
    constexpr std::uint16_t failed = 0x6982;
    Error failure = status_error(response.status);
    if (response.status == failed && tag == response_object) failure.code = Code::pin_incorrect;
    return failure;
  }
  if (!answers) return Bytes();
  CARDEA_ASSIGN(const ByteView objects, require_tlv(response.data, dynamic_authentication));
  CARDEA_ASSIGN(const ByteView answer, require_tlv(objects, tag));
  return to_bytes(answer);
}

Status choose_admin_key(CardTransaction& transaction, bool mutual) {
  constexpr Byte set_for_both = 0xc1;
  constexpr Byte set_for_external = 0x81;
  const std::array<Byte, 3> reference{0x83, 1, admin_key};
  CARDEA_TRY(transaction.call({.ins = 0x22,
                               .p1 = mutual ? set_for_both : set_for_external,
                               .p2 = authentication_template,
                               .data = reference,
                               .expects_data = false}));
  return {};
}

// R2 || R1 || Z1 with its padding (ISO/IEC 9797-1, method 2), ready to be enciphered.
Result<Bytes> mutual_challenge(CardTransaction& transaction) {
  CARDEA_TRY(choose_admin_key(transaction, true));
  std::array<Byte, nonce_size> ours{};
  CARDEA_TRY(crypto::random_bytes(ours));
  CARDEA_ASSIGN(Bytes plain, general_authenticate(transaction, challenge_object, ours, true));
  if (plain.size() != nonce_size) return error(Code::device_error, "the card's challenge has a wrong size");
  plain.insert(plain.end(), ours.begin(), ours.end());
  plain.resize(cryptogram_size);
  CARDEA_TRY(crypto::random_bytes(MutableBytes(plain).subspan(2 * nonce_size, half_secret_size)));
  plain.back() = 0x80;
  return plain;
}

// The card shows with R1 || R2 that it knows the key as well.
Status check_card(ByteView key, ByteView challenge, ByteView answer) {
  if (answer.size() != cryptogram_size) return error(Code::device_error, "the card's proof has a wrong size");
  CARDEA_ASSIGN(const Bytes plain, triple_des(key, crypto::Direction::decrypt, crypto::Cipher::triple_des_cbc, answer));
  const ByteView theirs = challenge.first(nonce_size);
  const ByteView ours = challenge.subspan(nonce_size, nonce_size);
  if (!equal_in_constant_time(ByteView(plain).first(nonce_size), ours) ||
      !equal_in_constant_time(ByteView(plain).subspan(nonce_size, nonce_size), theirs)) {
    return error(Code::device_error, "the card does not know the administrator's key itself");
  }
  return {};
}

Result<Bytes> external_challenge(CardTransaction& transaction) {
  CARDEA_TRY(choose_admin_key(transaction, false));
  CARDEA_ASSIGN(Bytes challenge, general_authenticate(transaction, challenge_object, {}, true));
  if (challenge.size() != short_challenge_size) {
    return error(Code::device_error, "the card's challenge has a wrong size");
  }
  return challenge;
}

Status check_key_size(const SecretBytes& key) {
  if (key.size() == key_size) return {};
  return error(Code::key_size_range, "the administrator's key of this card has 24 bytes");
}

}  // namespace

Status GidsCard::authenticate(CardTransaction& transaction, const SecretBytes& key) {
  CARDEA_TRY(check_key_size(key));
  const bool mutual = (application_.protocols & mutual_protocol) != 0;
  Result<Bytes> challenge = mutual ? mutual_challenge(transaction) : external_challenge(transaction);
  if (!challenge) return std::move(challenge).error();
  CARDEA_ASSIGN(const Bytes proof,
                triple_des(key.view(), crypto::Direction::encrypt, crypto::Cipher::triple_des_cbc, *challenge));
  CARDEA_ASSIGN(const Bytes answer, general_authenticate(transaction, response_object, proof, mutual));
  return mutual ? check_card(key.view(), *challenge, answer) : Status();
}

Result<Bytes> GidsCard::challenge(CardTransaction& transaction) {
  const bool external = (application_.protocols & external_protocol) != 0;
  CARDEA_ASSIGN(Bytes challenge, external ? external_challenge(transaction) : mutual_challenge(transaction));
  challenge_size_ = challenge.size();
  return challenge;
}

Status GidsCard::answer_challenge(CardTransaction& transaction, ByteView answer) {
  const std::size_t expected = std::exchange(challenge_size_, 0);
  if (expected == 0) return error(Code::operation_not_initialized, "no challenge was asked for");
  if (answer.size() != expected) return error(Code::data_length, "the answer has not the size of the challenge");
  // In the mutual case the card now proves itself to whoever holds the key, and nobody here can check that.
  const bool mutual = expected == cryptogram_size;
  CARDEA_TRY(general_authenticate(transaction, response_object, answer, mutual));
  return {};
}

Status GidsCard::set_key(CardTransaction& transaction, const SecretBytes& new_key) {
  CARDEA_TRY(check_key_size(new_key));
  constexpr std::array<Byte, 8> zeros{};
  constexpr std::size_t check_value_size = 3;  // "PUT KEY", tag 88
  CARDEA_ASSIGN(const Bytes check,
                triple_des(new_key.view(), crypto::Direction::encrypt, crypto::Cipher::triple_des_ecb, zeros));
  const SecretBytes data = admin_key_template(admin_key, new_key.view(), ByteView(check).first(check_value_size));
  return put_key(transaction, data.view());
}

}  // namespace cardea::card::gids
