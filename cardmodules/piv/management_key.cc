#include "piv/management_key.h"

#include <algorithm>

#include "base/tlv.h"
#include "crypto/random.h"
#include "crypto/symmetric_key.h"
#include "piv/commands.h"
#include "piv/key_references.h"

namespace cardea::card::piv {
namespace {

using crypto::Cipher;
using crypto::Direction;

struct KeyType {
  Byte algorithm;
  std::size_t key_size;
  std::size_t block_size;
  Cipher cipher;
  const char* name;
};
// AES-192 comes before triple DES where both fit: a card that has the one refuses the other, and newer cards have AES.
constexpr KeyType key_types[]{{algorithm::aes_128, 16, 16, Cipher::aes_ecb, "aes128"},
                              {algorithm::aes_192, 24, 16, Cipher::aes_ecb, "aes192"},
                              {algorithm::triple_des, 24, 8, Cipher::triple_des_ecb, "3des"},
                              {algorithm::aes_256, 32, 16, Cipher::aes_ecb, "aes256"}};

const KeyType* type_of(Byte algorithm) {
  const auto* const found = std::find_if(std::begin(key_types), std::end(key_types),
                                         [&](const KeyType& type) { return type.algorithm == algorithm; });
  return found == std::end(key_types) ? nullptr : found;
}

Result<SecretBytes> run_block(const KeyType& type, const crypto::SymmetricKeyPtr& key, Direction direction,
                              ByteView block) {
  CARDEA_ASSIGN(crypto::CipherContext cipher, key->cipher(type.cipher, direction));
  CARDEA_TRY(cipher.start({}));
  SecretBytes out(block.size() + type.block_size);
  CARDEA_ASSIGN(const std::size_t written, cipher.update(block, out.mutable_view()));
  out.truncate(written);
  return out;
}

// What the card says to a proof that does not convince it; cards differ.
Error refusal(std::uint16_t status) {
  if (status == 0x6982 || status == 0x6985 || status == 0x6988 || status == 0x6a80 || (status & 0xfff0) == 0x6300) {
    return error(Code::pin_incorrect, "the administrator's key is wrong");
  }
  return status_error(status);
}

// Asks for the field; empty when the card has no key of this algorithm, or does not do this kind of authentication.
Result<Bytes> ask(CardTransaction& transaction, const KeyType& type, std::uint32_t field) {
  CARDEA_ASSIGN(const Response answer,
                general_authenticate(transaction, type.algorithm, key_management_9b, make_tlv(field, {})));
  if (answer.status == 0x6983) return status_error(answer.status);
  if (!answer.ok()) return Bytes();
  CARDEA_ASSIGN(const ByteView value, authentication_field(answer.data, field));
  if (value.size() != type.block_size) return error(Code::data_invalid, "the card's challenge has a wrong length");
  return to_bytes(value);
}

Status prove(CardTransaction& transaction, const KeyType& type, ByteView response) {
  CARDEA_ASSIGN(const Response answer, general_authenticate(transaction, type.algorithm, key_management_9b,
                                                            make_tlv(authentication::response, response)));
  if (!answer.ok()) return refusal(answer.status);
  return {};
}

Status prove_mutually(CardTransaction& transaction, const KeyType& type, const crypto::SymmetricKeyPtr& key,
                      ByteView witness) {
  CARDEA_ASSIGN(const SecretBytes plain, run_block(type, key, Direction::decrypt, witness));
  Bytes challenge(type.block_size);
  CARDEA_TRY(crypto::random_bytes(challenge));
  Bytes fields;
  append_tlv(fields, authentication::witness, plain.view());
  append_tlv(fields, authentication::challenge, challenge);
  append_tlv(fields, authentication::response, {});
  CARDEA_ASSIGN(const Response answer, general_authenticate(transaction, type.algorithm, key_management_9b, fields));
  if (!answer.ok()) return refusal(answer.status);
  CARDEA_ASSIGN(const ByteView response, authentication_field(answer.data, authentication::response));
  CARDEA_ASSIGN(const SecretBytes expected, run_block(type, key, Direction::encrypt, challenge));
  if (!equal_in_constant_time(response, expected.view())) {
    return error(Code::device_error, "the card does not know its own administrator's key");
  }
  return {};
}

}  // namespace

Result<std::optional<Byte>> ManagementKey::told_algorithm(CardTransaction& transaction) {
  const Result<Metadata> metadata = facts_->metadata(transaction, key_management_9b);
  if (metadata && type_of(metadata->algorithm) != nullptr) return std::optional(metadata->algorithm);
  if (!metadata && !is_about_object(metadata.error())) return metadata.error();
  std::optional<Byte> listed;
  for (const Byte candidate : facts_->application().algorithms) {
    if (type_of(candidate) == nullptr) continue;
    if (listed) return std::optional<Byte>();  // more than one: the list tells what the card can, not what it uses
    listed = candidate;
  }
  return listed;
}

Status ManagementKey::authenticate(CardTransaction& transaction, const SecretBytes& key) {
  challenged_ = 0;
  CARDEA_ASSIGN(const std::optional<Byte> told, told_algorithm(transaction));
  bool fits = false;
  for (const KeyType& type : key_types) {
    if (type.key_size != key.size() || (told && *told != type.algorithm)) continue;
    fits = true;
    const crypto::SymmetricKeyPtr ready = crypto::SymmetricKey::make(key.copy());
    CARDEA_ASSIGN(const Bytes witness, ask(transaction, type, authentication::witness));
    if (!witness.empty()) return prove_mutually(transaction, type, ready, witness);
    CARDEA_ASSIGN(const Bytes challenge, ask(transaction, type, authentication::challenge));
    if (challenge.empty()) continue;
    CARDEA_ASSIGN(const SecretBytes response, run_block(type, ready, Direction::encrypt, challenge));
    return prove(transaction, type, response.view());
  }
  if (!fits) return error(Code::key_size_range, "the card's administrator key has another length");
  return error(Code::function_not_supported, "the card takes no administrator key of this length");
}

Result<Bytes> ManagementKey::challenge(CardTransaction& transaction) {
  challenged_ = 0;
  CARDEA_ASSIGN(const std::optional<Byte> told, told_algorithm(transaction));
  for (const KeyType& type : key_types) {
    if (told && *told != type.algorithm) continue;
    CARDEA_ASSIGN(Bytes challenge, ask(transaction, type, authentication::challenge));
    if (challenge.empty()) continue;
    challenged_ = type.algorithm;
    return challenge;
  }
  return error(Code::function_not_supported, "the card gives no challenge for its administrator");
}

Status ManagementKey::answer_challenge(CardTransaction& transaction, ByteView answer) {
  const KeyType* const type = type_of(std::exchange(challenged_, Byte{0}));
  if (type == nullptr) return error(Code::operation_not_initialized, "no challenge waits for an answer");
  if (answer.size() != type->block_size) return Code::data_length;
  return prove(transaction, *type, answer);
}

std::string ManagementKey::challenge_algorithm() const {
  const KeyType* const type = type_of(challenged_);
  return type == nullptr ? std::string() : type->name;
}

Result<Byte> ManagementKey::algorithm_for_new(CardTransaction& transaction, std::size_t size) {
  CARDEA_ASSIGN(const std::optional<Byte> told, told_algorithm(transaction));
  if (told && type_of(*told)->key_size == size) return *told;
  // Cards that do not tell their key's algorithm are from before AES management keys (Yubico, firmware 5.4).
  for (const KeyType& type : key_types) {
    if (type.key_size == size && (told || type.algorithm == algorithm::triple_des)) return type.algorithm;
  }
  return error(Code::key_size_range, "the card takes no administrator key of this length");
}

Status ManagementKey::replace(CardTransaction& transaction, const SecretBytes& new_key) {
  CARDEA_ASSIGN(const Byte algorithm, algorithm_for_new(transaction, new_key.size()));
  constexpr Byte without_touch = 0xff;
  SecretBytes data(3 + new_key.size());
  data.data()[0] = algorithm;
  data.data()[1] = key_management_9b;
  data.data()[2] = static_cast<Byte>(new_key.size());
  std::copy_n(new_key.data(), new_key.size(), data.data() + 3);
  Command command{.ins = instruction::set_management_key, .p1 = 0xff, .p2 = without_touch, .data = data.view()};
  command.expects_data = false;
  command.secret_data = true;
  CARDEA_TRY(transaction.call(command));
  return {};
}

}  // namespace cardea::card::piv
