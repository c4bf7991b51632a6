#include "domain/token_secrets.h"

#include <fmt/format.h>

#include <array>
#include <bit>

#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/symmetric_key.h"
#include "domain/ports.h"
#include "domain/words.h"

namespace cardea::manager {

namespace {

constexpr std::array<std::string_view, 3> purpose_words = {"admin-key", "puk", "so-pin"};

constexpr KindSecrets kinds[] = {
#define CARDEA_TOKEN_KIND(kind, made, admin_key, puk_digits, so_pin_digits) \
  {#kind, made, admin_key, puk_digits, so_pin_digits},
#include "domain/token_kinds.def"
#undef CARDEA_TOKEN_KIND
};

struct FactoryRow {
  std::string_view kind;
  std::string_view card_type;
  std::string_view algorithm;
  std::string_view admin_key;
  std::string_view puk;
  std::string_view pin;
};
constexpr FactoryRow factory_rows[] = {
#define CARDEA_FACTORY_SECRETS(kind, card_type, algorithm, admin_key, puk, pin) \
  {#kind, card_type, algorithm, admin_key, puk, pin},
#include "domain/factory_secrets.def"
#undef CARDEA_FACTORY_SECRETS
};

const FactoryRow* factory_row(std::string_view kind, std::string_view card_type) {
  for (const auto& row : factory_rows)
    if (row.kind == kind && row.card_type == card_type) return &row;
  return nullptr;
}

// Bytes of an administrator's key; 0 for an unknown algorithm.
std::size_t key_size(std::string_view algorithm) {
  if (algorithm == "3des" || algorithm == "aes192") return 24;
  if (algorithm == "aes128") return 16;
  if (algorithm == "aes256" || algorithm == "hmac-sha256") return 32;
  return 0;
}

// Each part with its length in front, so that no two owners give the same context.
Bytes context_of(const SecretOwner& owner, std::uint32_t version) {
  Bytes context;
  for (const std::string_view part : {owner.kind, owner.serial}) {
    const auto size = static_cast<std::uint32_t>(part.size());
    for (int shift = 24; shift >= 0; shift -= 8) context.push_back(static_cast<Byte>(size >> shift));
    context.insert(context.end(), part.begin(), part.end());
  }
  for (int shift = 24; shift >= 0; shift -= 8) context.push_back(static_cast<Byte>(version >> shift));
  return context;
}

Status check_owner(const SecretOwner& owner, std::uint32_t version) {
  if (owner.kind.empty() || owner.serial.empty() || version == 0)
    return error(Code::arguments_bad, "a token's secret needs its kind, its serial number and a version");
  return {};
}

// SP 800-67r2, 3.3: parity bits count for nothing, but cards check them.
void set_odd_parity(SecretBytes& key) {
  for (Byte& byte : key.mutable_view()) {
    const auto ones = static_cast<unsigned>(std::popcount(static_cast<unsigned>(byte >> 1)));
    byte = static_cast<Byte>((byte & 0xFEU) | ((ones & 1U) == 0 ? 1U : 0U));
  }
}

Result<Bytes> encipher(const SecretBytes& key, crypto::Cipher mode, ByteView input) {
  constexpr std::array<Byte, 8> zero_vector{};
  const crypto::SymmetricKeyPtr ready = crypto::SymmetricKey::make(key.copy());
  CARDEA_ASSIGN(crypto::CipherContext context, ready->cipher(mode, crypto::Direction::encrypt));
  CARDEA_TRY(context.start(mode == crypto::Cipher::triple_des_cbc ? ByteView(zero_vector) : ByteView()));
  Bytes out(input.size() + 16);
  CARDEA_ASSIGN(const std::size_t size, context.update(input, out));
  if (size != input.size()) return Code::internal;
  out.resize(size);
  return out;
}

// The TPM signs its nonce with an expiration of zero behind it (TPM 2.0 part 3, TPM2_PolicySigned).
Result<Bytes> tpm_answer(const SecretBytes& key, ByteView challenge) {
  Bytes signed_part = to_bytes(challenge);
  signed_part.insert(signed_part.end(), 4, Byte{0});
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, signed_part));
  CARDEA_ASSIGN(const SecretBytes answer, crypto::hmac(Hash::sha256, key.view(), digest));
  return to_bytes(answer.view());
}

}  // namespace

std::string_view word(SecretPurpose purpose) {
  return purpose_words[static_cast<std::size_t>(purpose)];
}

Result<SecretPurpose> secret_purpose(std::string_view word) {
  return value_of_word<SecretPurpose>(purpose_words, word, "secret of a token");
}

Result<SecretBytes> derived_admin_key(KeyToken& keys, const SecretOwner& owner, std::uint32_t version,
                                      std::string_view algorithm) {
  CARDEA_TRY(check_owner(owner, version));
  const std::size_t size = key_size(algorithm);
  if (size == 0)
    return error(Code::arguments_bad, fmt::format("'{}' is no algorithm of administrators' keys", algorithm));
  CARDEA_ASSIGN(SecretBytes key, keys.derive(manager_key::token_secrets, fmt::format("admin-key/{}", algorithm),
                                             context_of(owner, version), size));
  if (algorithm != "3des") return key;
  set_odd_parity(key);
  const ByteView view = key.view();
  if (same_bytes(view.first(8), view.subspan(8, 8)) || same_bytes(view.subspan(8, 8), view.subspan(16, 8)))
    return error(Code::internal, "the derived triple DES key has equal parts");
  return key;
}

Result<SecretBytes> derived_digits(KeyToken& keys, SecretPurpose purpose, const SecretOwner& owner,
                                   std::uint32_t version, std::size_t count) {
  CARDEA_TRY(check_owner(owner, version));
  constexpr std::size_t drawn = 512;
  constexpr Byte unbiased = 250;  // bytes from here on would make the digits 0 to 5 likelier
  if (count == 0 || count > 64) return error(Code::arguments_bad, "a secret has 1 to 64 digits");
  CARDEA_ASSIGN(const SecretBytes source,
                keys.derive(manager_key::token_secrets, word(purpose), context_of(owner, version), drawn));
  SecretBytes digits(count);
  std::size_t filled = 0;
  for (std::size_t i = 0; i < drawn && filled < count; ++i)
    if (source.data()[i] < unbiased) digits.data()[filled++] = static_cast<Byte>('0' + source.data()[i] % 10);
  if (filled < count) return error(Code::internal, "the derived bytes held too few digits");
  return digits;
}

Result<SecretBytes> factory_secret(std::string_view kind, std::string_view card_type, SecretPurpose purpose) {
  const FactoryRow* row = factory_row(kind, card_type);
  const std::string_view text =
      row == nullptr
          ? ""
          : (purpose == SecretPurpose::admin_key ? row->admin_key : (purpose == SecretPurpose::puk ? row->puk : ""));
  if (text.empty())
    return error(Code::not_found, fmt::format("tokens of kind {}{}{} have no {} from the factory", kind,
                                              card_type.empty() ? "" : " ", card_type, word(purpose)));
  if (purpose != SecretPurpose::admin_key) return SecretBytes(view_of(text));
  Bytes key;
  if (!from_hex(text, key)) return Code::internal;
  return SecretBytes(key);
}

Result<SecretBytes> factory_pin(std::string_view kind, std::string_view card_type) {
  const FactoryRow* row = factory_row(kind, card_type);
  if (row == nullptr || row->pin.empty())
    return error(Code::not_found, "tokens of this kind have no PIN from the factory");
  return SecretBytes(view_of(row->pin));
}

std::string_view factory_algorithm(std::string_view kind, std::string_view card_type) {
  const FactoryRow* row = factory_row(kind, card_type);
  return row == nullptr ? std::string_view() : row->algorithm;
}

Result<KindSecrets> kind_secrets(std::string_view kind) {
  for (const auto& row : kinds)
    if (row.kind == kind) return row;
  return error(Code::not_found, fmt::format("there is no kind of token called '{}'", kind));
}

Result<Bytes> challenge_answer(std::string_view kind, std::string_view algorithm, const SecretBytes& key,
                               ByteView challenge) {
  const std::size_t wanted = key_size(algorithm);
  if (wanted == 0 || wanted != key.size())
    return error(Code::arguments_bad, fmt::format("'{}' is no algorithm for this token's key", algorithm));
  const std::size_t size = challenge.size();
  if (algorithm == "hmac-sha256") {
    if (size < 16 || size > 64) return error(Code::arguments_bad, "the challenge has a wrong length");
    return tpm_answer(key, challenge);
  }
  if (kind == "gids") {
    // The card's eight bytes, or both nonces, the half secret and padding (GIDS 2.0, 9.3).
    if (algorithm != "3des" || (size != 8 && size != 40))
      return error(Code::arguments_bad, "the challenge has a wrong length");
    return encipher(key, crypto::Cipher::triple_des_cbc, challenge);
  }
  const bool des = algorithm == "3des";
  if (size != (des ? 8U : 16U)) return error(Code::arguments_bad, "the challenge has a wrong length");
  return encipher(key, des ? crypto::Cipher::triple_des_ecb : crypto::Cipher::aes_ecb, challenge);
}

}  // namespace cardea::manager
