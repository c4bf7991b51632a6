// Keys, certificates and objects written by the administrator of a PIV card (SP 800-73-4 part 2, 3.3; Yubico, "PIV
// extensions").
#include <algorithm>

#include "base/tlv.h"
#include "crypto/asymmetric_key.h"
#include "crypto/certificate.h"
#include "crypto/key_encoding.h"
#include "piv/certificate_object.h"
#include "piv/commands.h"
#include "piv/data_objects.h"
#include "piv/key_references.h"
#include "piv/piv_card.h"

namespace cardea::card::piv {
namespace {

constexpr std::uint32_t tag_control = 0xac;
constexpr std::uint32_t tag_algorithm = 0x80;
constexpr std::uint32_t tag_pin_policy = 0xaa;
constexpr std::uint32_t tag_touch_policy = 0xab;
constexpr std::uint32_t tag_public_key = 0x7f49;
constexpr Byte deleted = 0xff;  // P1 of MOVE KEY: to nowhere

void append_policies(Bytes& fields, const KeyRequest& request) {
  if (request.pin) {
    const Byte value = policy_value(*request.pin);
    append_tlv(fields, tag_pin_policy, {&value, 1});
  }
  if (request.touch) {
    const Byte value = policy_value(*request.touch);
    append_tlv(fields, tag_touch_policy, {&value, 1});
  }
}

Status check_place(const ContainerPlace& place) {
  if (!place_of(place.index) && place.index != key_attestation)
    return error(Code::arguments_bad, "PIV has no such key");
  return {};
}

/// The elements of a private key, in a buffer that is wiped. Cards want numbers in the full length of their kind.
class ImportFields {
 public:
  explicit ImportFields(std::size_t room) : data_(room) {}

  void add(Byte tag, ByteView number, std::size_t size) {
    Byte* out = data_.data() + used_;
    *out++ = tag;
    if (size >= 0x80) *out++ = size > 0xff ? Byte{0x82} : Byte{0x81};
    if (size > 0xff) *out++ = static_cast<Byte>(size >> 8);
    *out++ = static_cast<Byte>(size);
    std::fill_n(out, size - number.size(), Byte{0});
    std::copy(number.begin(), number.end(), out + (size - number.size()));
    used_ = static_cast<std::size_t>(out - data_.data()) + size;
  }
  void add(ByteView encoded) {
    std::copy(encoded.begin(), encoded.end(), data_.data() + used_);
    used_ += encoded.size();
  }
  ByteView view() const { return data_.view().first(used_); }

 private:
  SecretBytes data_;
  std::size_t used_ = 0;
};

constexpr std::size_t element_header = 4;
constexpr std::size_t policies_room = 6;

Result<ImportFields> rsa_fields(const crypto::AsymmetricKey& key) {
  CARDEA_ASSIGN(const crypto::RsaNumbers numbers, key.rsa_numbers());
  // The card computes with p and q and takes 65537 for granted.
  if (!same_bytes(numbers.public_exponent, Bytes{0x01, 0x00, 0x01})) {
    return error(Code::attribute_value_invalid, "PIV cards take RSA keys with the public exponent 65537 only");
  }
  const std::size_t half = key.size() / 16;
  const SecretBytes* const parts[]{&numbers.prime_1, &numbers.prime_2, &numbers.exponent_1, &numbers.exponent_2,
                                   &numbers.coefficient};
  ImportFields fields(std::size(parts) * (element_header + half) + policies_room);
  Byte tag = 0x01;
  for (const SecretBytes* const part : parts) {
    if (part->size() > half) return error(Code::key_size_range, "the RSA key's primes are of different sizes");
    fields.add(tag++, part->view(), half);
  }
  return fields;
}

Result<ImportFields> private_key_fields(const KeyKind& kind, const crypto::AsymmetricKey& key) {
  if (kind.algorithm == crypto::KeyAlgorithm::rsa) return rsa_fields(key);
  CARDEA_ASSIGN(const SecretBytes value, key.private_value());
  const std::size_t size = crypto::facts_of(kind.algorithm).private_size;
  Byte tag = 0x06;
  if (kind.algorithm == crypto::KeyAlgorithm::ed25519) tag = 0x07;
  if (kind.algorithm == crypto::KeyAlgorithm::x25519) tag = 0x08;
  ImportFields fields(element_header + size + policies_room);
  fields.add(tag, value.view(), size);
  return fields;
}

// The largest object that YubiKeys hold and that other tools have room for; longer ones are compressed at once.
constexpr std::size_t largest_plain_object = 3063;

bool did_not_fit(const Status& status) {
  return !status && (status.code() == Code::device_memory || status.code() == Code::data_length);
}

}  // namespace

Status PivCard::authenticate(CardTransaction& transaction, const SecretBytes& key) {
  CARDEA_TRY(management_key_.authenticate(transaction, key));
  administered_ = true;
  return {};
}

Result<Bytes> PivCard::challenge(CardTransaction& transaction) {
  return management_key_.challenge(transaction);
}

Status PivCard::answer_challenge(CardTransaction& transaction, ByteView answer) {
  CARDEA_TRY(management_key_.answer_challenge(transaction, answer));
  administered_ = true;
  return {};
}

Status PivCard::set_key(CardTransaction& transaction, const SecretBytes& new_key) {
  return management_key_.replace(transaction, new_key);
}

SecretBytes PivCard::factory_key() const {
  constexpr Byte part[]{1, 2, 3, 4, 5, 6, 7, 8};
  SecretBytes key(3 * std::size(part));
  for (std::size_t i = 0; i < key.size(); ++i) key.data()[i] = part[i % std::size(part)];
  return key;
}

Result<Bytes> PivCard::generate(CardTransaction& transaction, const ContainerPlace& place, const KeyRequest& request) {
  CARDEA_TRY(check_place(place));
  const std::optional<KeyKind> kind = kind_of_key(request.algorithm, request.bits);
  if (!kind || kind->identifier == algorithm::rsa_1024) {
    return error(Code::key_size_range, "PIV cards do not generate keys of this kind");
  }
  Bytes fields;
  append_tlv(fields, tag_algorithm, {&kind->identifier, 1});
  append_policies(fields, request);
  const Bytes control = make_tlv(tag_control, fields);
  Command command{.ins = instruction::generate,
                  .p2 = static_cast<Byte>(place.index),
                  .data = control,
                  .patience = patience::generation};
  CARDEA_ASSIGN(const Response answer, transaction.call(command));
  CARDEA_ASSIGN(const ByteView public_key, require_tlv(answer.data, tag_public_key));
  CARDEA_ASSIGN(Bytes key_info, read_public_key(*kind, public_key));
  CARDEA_TRY(drop_stale_certificate(transaction, place, key_info));
  return key_info;
}

Result<Bytes> PivCard::put_key(CardTransaction& transaction, const ContainerPlace& place, const SecretBytes& pkcs8,
                               const KeyRequest& request) {
  CARDEA_TRY(check_place(place));
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_private_key_info(pkcs8.view()));
  const std::optional<KeyKind> kind = kind_of_key(key->algorithm(), key->size());
  if (!kind) return error(Code::key_size_range, "PIV cards have no keys of this kind");
  CARDEA_ASSIGN(ImportFields fields, private_key_fields(*kind, *key));
  Bytes policies;
  append_policies(policies, request);
  fields.add(policies);
  Command command{.ins = instruction::import_key,
                  .p1 = kind->identifier,
                  .p2 = static_cast<Byte>(place.index),
                  .data = fields.view(),
                  .expects_data = false,
                  .secret_data = true,
                  .patience = patience::long_work};
  CARDEA_TRY(transaction.call(command));
  return crypto::subject_public_key_info(*key);
}

Status PivCard::import_key(CardTransaction& transaction, const ContainerPlace& place, const SecretBytes& pkcs8,
                           const KeyRequest& request) {
  CARDEA_ASSIGN(const Bytes key_info, put_key(transaction, place, pkcs8, request));
  return drop_stale_certificate(transaction, place, key_info);
}

// Two commands a key, and one question and one entry for all of them in the key history.
Result<std::size_t> PivCard::import_all(CardTransaction& transaction, std::span<const KeyToImport> keys) {
  std::size_t written = 0;
  Status outcome;
  Byte highest = 0;
  for (const KeyToImport& key : keys) {
    const Result<Bytes> put = put_key(transaction, key.place, *key.pkcs8, {});
    outcome = put ? put_certificate(transaction, key.place, key.certificate) : Status(put.error());
    if (!outcome) {
      // A key without its certificate is of no use, and takes the space of others.
      if (put) (void)delete_key(transaction, key.place);
      break;
    }
    if (is_retired(key.place.index)) highest = std::max(highest, static_cast<Byte>(key.place.index));
    ++written;
  }
  if (highest != 0) CARDEA_TRY(update_key_history(transaction, highest, true));
  if (!outcome && outcome.code() != Code::device_memory) return std::move(outcome).error();
  return written;
}

Status PivCard::delete_key(CardTransaction& transaction, const ContainerPlace& place) {
  CARDEA_TRY(check_place(place));
  CARDEA_TRY(transaction.call(Command{
      .ins = instruction::move_key, .p1 = deleted, .p2 = static_cast<Byte>(place.index), .expects_data = false}));
  return {};
}

Status PivCard::move_key(CardTransaction& transaction, const ContainerPlace& from, const ContainerPlace& to) {
  CARDEA_TRY(check_place(from));
  CARDEA_TRY(check_place(to));
  CARDEA_TRY(transaction.call(Command{.ins = instruction::move_key,
                                      .p1 = static_cast<Byte>(to.index),
                                      .p2 = static_cast<Byte>(from.index),
                                      .expects_data = false}));
  const Result<Bytes> content = get_data(transaction, certificate_object(from.index));
  if (!content && content.code() == Code::not_found) return write_certificate(transaction, to, {});
  if (!content) return content.error();
  const Result<CertificateObject> object = parse_certificate_object(*content);
  if (!object) return {};  // damaged: nothing worth to go along
  CARDEA_TRY(write_certificate(transaction, to, object->certificate));
  return write_certificate(transaction, from, {});
}

// A certificate that does not belong to the key beside it misleads every client.
Status PivCard::drop_stale_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView key_info) {
  const Result<Bytes> content = get_data(transaction, certificate_object(place.index));
  if (!content) {
    if (content.code() == Code::not_found) return {};
    return content.error();
  }
  const Result<CertificateObject> object = parse_certificate_object(*content);
  if (object) {
    const Result<crypto::CertificateParts> parts = crypto::certificate_parts(object->certificate);
    if (parts && same_bytes(parts->key_info, key_info)) return {};
  }
  return write_certificate(transaction, place, {});
}

Status PivCard::write_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView der) {
  CARDEA_TRY(check_place(place));
  if (!der.empty()) CARDEA_TRY(crypto::certificate_parts(der));
  CARDEA_TRY(put_certificate(transaction, place, der));
  if (!is_retired(place.index)) return {};
  return update_key_history(transaction, static_cast<Byte>(place.index), !der.empty());
}

Status PivCard::put_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView der) {
  const std::uint32_t tag = certificate_object(place.index);
  if (der.empty()) return put_data(transaction, tag, {});
  CARDEA_ASSIGN(const Bytes plain, encode_certificate_object(der, false));
  if (plain.size() <= largest_plain_object) {
    const Status written = put_data(transaction, tag, plain);
    if (!did_not_fit(written)) return written;
  }
  CARDEA_ASSIGN(const Bytes compressed, encode_certificate_object(der, true));
  const Status written = put_data(transaction, tag, compressed);
  if (did_not_fit(written)) return error(Code::device_memory, "the certificate does not fit, even compressed");
  return written;
}

// Other middleware sees retired keys only through the key history (SP 800-73-4 part 1, 3.3.3).
Status PivCard::update_key_history(CardTransaction& transaction, Byte reference, bool present) {
  CARDEA_ASSIGN(KeyHistory history, CardFacts::key_history(transaction));
  const std::size_t before = history.on_card;
  const std::size_t number = static_cast<std::size_t>(reference - key_retired_first) + 1;
  if (present) {
    history.on_card = std::max(history.on_card, number);
    history.off_card = std::min(history.off_card, retired_count - history.on_card);
  } else if (number == history.on_card) {
    --history.on_card;
    // The count is that of the highest certificate, so gaps below the removed one close as well.
    while (history.on_card > 0) {
      const auto below = static_cast<std::uint32_t>(key_retired_first + history.on_card - 1);
      const Result<Bytes> content = get_data(transaction, certificate_object(below));
      if (content) break;
      if (content.code() != Code::not_found) return content.error();
      --history.on_card;
    }
  }
  if (history.on_card == before) return {};
  return put_data(transaction, object::key_history, encode_key_history(history));
}

Status PivCard::write_file(CardTransaction& transaction, const FileEntry& file, ByteView content) {
  return put_data(transaction, file.reference, content);
}

Result<Bytes> PivCard::attest(CardTransaction& transaction, const ContainerPlace& place) {
  CARDEA_TRY(check_place(place));
  // The attestation key's own certificate was issued by the maker and lies in an object.
  if (place.index == key_attestation) {
    CARDEA_ASSIGN(const Bytes content, get_data(transaction, object::attestation_certificate));
    CARDEA_ASSIGN(CertificateObject object, parse_certificate_object(content));
    return std::move(object.certificate);
  }
  CARDEA_ASSIGN(const Response answer, transaction.call(Command{.ins = instruction::attest,
                                                                .p1 = static_cast<Byte>(place.index),
                                                                .patience = patience::long_work}));
  CARDEA_TRY(crypto::certificate_parts(answer.data));
  return to_bytes(answer.data);
}

Status PivCard::reset(CardTransaction& transaction) {
  CARDEA_ASSIGN(const Extensions extensions, facts_.extensions(transaction));
  // Nothing is locked on a card that could not be reset afterwards.
  if (!extensions.present) return error(Code::function_not_supported, "this card cannot be reset");
  CARDEA_TRY(block_pins(transaction));
  CARDEA_TRY(
      transaction.call(Command{.ins = instruction::reset, .expects_data = false, .patience = patience::long_work}));
  administered_ = false;
  return {};
}

Status PivCard::set_tries(CardTransaction& transaction, int user, int unblock) {
  constexpr int most = 255;
  if (user < 1 || user > most || unblock < 1 || unblock > most) return Code::arguments_bad;
  CARDEA_TRY(transaction.call(Command{.ins = instruction::set_tries,
                                      .p1 = static_cast<Byte>(user),
                                      .p2 = static_cast<Byte>(unblock),
                                      .expects_data = false}));
  return {};
}

Status PivCard::set_user_pin(CardTransaction&, const Pin&) {
  return error(Code::function_not_supported,
               "a PIV card's PIN is set anew with its PUK: log in as security officer with the PUK instead of the "
               "management key, or use `cardea card pin unlock`");
}

}  // namespace cardea::card::piv
