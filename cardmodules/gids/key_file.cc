#include "gids/key_file.h"

#include <algorithm>
#include <array>

#include "base/tlv.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"

namespace cardea::card::gids {
namespace {

constexpr std::uint32_t file_control_parameters = 0x62;
constexpr std::uint32_t file_descriptor = 0x82;
constexpr std::uint32_t file_identifier = 0x83;
constexpr std::uint32_t security_attribute = 0x8c;
constexpr std::uint32_t reference_templates = 0xa5;
constexpr std::uint32_t mechanism_reference = 0x80;
constexpr std::uint32_t key_reference = 0x83;
constexpr std::uint32_t usage_qualifier = 0x95;
constexpr std::uint32_t key_usage = 0xa3;
constexpr std::uint32_t usage_counter = 0x90;

constexpr Byte key_file_descriptor = 0x18;
constexpr Byte computation = 0x40;  // usage qualifier: sign, decipher (GIDS 2.0, table 24)
constexpr Byte padding_mask = 0xc0;

// Access mode of a key file, one condition byte for each bit from the highest on (ISO 7816-4, 5.4.3.1).
constexpr Byte access_public_key = 0x01;
constexpr Byte access_put_key = 0x02;
constexpr Byte access_use = 0x04;
constexpr Byte access_generate = 0x08;
constexpr Byte access_all = 0x80 | access_generate | access_use | access_put_key | access_public_key;
constexpr Byte condition_always = 0x00;
constexpr Byte condition_user = 0x10;

Byte byte_of(KeyKind kind) {
  return static_cast<Byte>(kind);
}

// The condition for using the key; the user's PIN when the attribute does not speak of it.
Byte use_condition(ByteView attribute) {
  if (attribute.empty()) return condition_user;
  std::size_t at = 1;
  for (unsigned bit = 0x40; bit != 0; bit >>= 1) {
    if ((attribute[0] & bit) == 0) continue;
    if (at == attribute.size()) return condition_user;
    if (bit == access_use) return attribute[at];
    ++at;
  }
  return condition_user;
}

// A control reference template of the file: which mechanism, and whether each use wants the PIN anew.
Status add_template(KeyUse& use, const Tlv& one) {
  if (one.tag != signature_template && one.tag != confidentiality_template) return {};
  CARDEA_ASSIGN(const std::optional<ByteView> mechanism, find_tlv(one.value, mechanism_reference));
  if (!mechanism || mechanism->size() != 1) return {};
  CARDEA_ASSIGN(const std::optional<ByteView> qualifier, find_tlv(one.value, usage_qualifier));
  if (qualifier && qualifier->size() == 1 && ((*qualifier)[0] & computation) == 0) return {};
  Bytes& references = one.tag == signature_template ? use.signing : use.deciphering;
  references.push_back((*mechanism)[0]);
  CARDEA_ASSIGN(const std::optional<ByteView> usage, find_tlv(one.value, key_usage));
  if (!usage) return {};
  CARDEA_ASSIGN(const std::optional<ByteView> counter, find_tlv(*usage, usage_counter));
  // A counter of n wants the PIN before every n-th use; for all but 0 we ask before each.
  const auto nonzero = [](Byte b) { return b != 0; };
  if (counter && std::any_of(counter->begin(), counter->end(), nonzero)) use.pin = PinPolicy::always;
  return {};
}

std::optional<Byte> with_padding(const Bytes& references, Byte padding) {
  const auto fits = [&](Byte reference) { return (reference & padding_mask) == (padding & padding_mask); };
  const auto found = std::find_if(references.begin(), references.end(), fits);
  return found == references.end() ? std::nullopt : std::optional(*found);
}

Bytes reference_template(std::uint32_t tag, Byte mechanism, Byte key, PinPolicy pin) {
  Bytes value;
  append_tlv(value, mechanism_reference, ByteView(&mechanism, 1));
  append_tlv(value, key_reference, ByteView(&key, 1));
  append_tlv(value, usage_qualifier, ByteView(&computation, 1));
  if (pin == PinPolicy::always) {
    constexpr std::array<Byte, 2> each_use{0, 1};
    append_tlv(value, key_usage, make_tlv(usage_counter, each_use));
  }
  return make_tlv(tag, value);
}

std::optional<crypto::KeyAlgorithm> curve_of_point(std::size_t size) {
  for (const auto curve : {crypto::KeyAlgorithm::p256, crypto::KeyAlgorithm::p384, crypto::KeyAlgorithm::p521}) {
    if (crypto::facts_of(curve).public_size == size) return curve;
  }
  return std::nullopt;
}

// The private key as RFC 8017, A.1.2 writes it, the smaller prime first as GIDS 2.0 wants ("PUT KEY").
Result<SecretBytes> rsa_value(const crypto::AsymmetricKey& key) {
  CARDEA_ASSIGN(crypto::RsaNumbers numbers, key.rsa_numbers());
  const ByteView p = numbers.prime_1.view();
  const ByteView q = numbers.prime_2.view();
  if (p.size() > q.size() ||
      (p.size() == q.size() && std::lexicographical_compare(q.begin(), q.end(), p.begin(), p.end()))) {
    std::swap(numbers.prime_1, numbers.prime_2);
    std::swap(numbers.exponent_1, numbers.exponent_2);
    numbers.coefficient.clear();
    CARDEA_TRY(crypto::complete_rsa(numbers));
  }
  const auto integer = [](ByteView value) { return crypto::der_integer<SecretBytes>(value); };
  const SecretBytes version = integer({});
  const SecretBytes n = integer(numbers.modulus), e = integer(numbers.public_exponent);
  const SecretBytes d = integer(numbers.private_exponent.view());
  const SecretBytes p1 = integer(numbers.prime_1.view()), p2 = integer(numbers.prime_2.view());
  const SecretBytes e1 = integer(numbers.exponent_1.view()), e2 = integer(numbers.exponent_2.view());
  const SecretBytes c = integer(numbers.coefficient.view());
  return crypto::der<SecretBytes>(crypto::der_sequence, {version.view(), n.view(), e.view(), d.view(), p1.view(),
                                                         p2.view(), e1.view(), e2.view(), c.view()});
}

Result<SecretBytes> ec_value(const crypto::AsymmetricKey& key) {
  constexpr Byte version_1 = 1;
  CARDEA_ASSIGN(const SecretBytes scalar, key.private_value());
  CARDEA_ASSIGN(const Bytes point, key.public_value());
  const SecretBytes version = crypto::der_integer<SecretBytes>(ByteView(&version_1, 1));
  const SecretBytes private_part = crypto::der<SecretBytes>(crypto::der_octet_string, {scalar.view()});
  const SecretBytes public_part = crypto::der<SecretBytes>(crypto::der_octet_string, {point});
  return crypto::der<SecretBytes>(crypto::der_sequence, {version.view(), private_part.view(), public_part.view()});
}

// BER-TLV of a one-byte tag; lengths in the shortest form are DER's too (X.690, 10.1).
SecretBytes object(Byte tag, std::initializer_list<ByteView> parts) {
  return crypto::der<SecretBytes>(tag, parts);
}

SecretBytes byte_object(Byte tag, Byte value) {
  return object(tag, {ByteView(&value, 1)});
}

SecretBytes key_usage_template(Byte key, std::initializer_list<ByteView> parts) {
  constexpr Byte usage_template = 0x70;
  constexpr Byte value_template = 0xa5;
  const SecretBytes reference = byte_object(0x84, key);
  const SecretBytes value = object(value_template, parts);
  return object(usage_template, {reference.view(), value.view()});
}

constexpr Byte key_type_tag = 0x83;
constexpr Byte transport_key_tag = 0x84;
constexpr Byte key_value_tag = 0x87;
constexpr Byte check_value_tag = 0x88;

bool copy_number(crypto::DerReader& reader, MutableBytes out) {
  const std::optional<ByteView> number = reader.take_unsigned();
  if (!number || number->size() > out.size()) return false;
  std::fill(out.begin(), out.end(), Byte{0});
  std::copy(number->begin(), number->end(), out.end() - static_cast<std::ptrdiff_t>(number->size()));
  return true;
}

}  // namespace

std::uint16_t bits_of(KeyKind kind) noexcept {
  switch (kind) {
    case KeyKind::rsa_1024:
      return 1024;
    case KeyKind::rsa_2048:
      return 2048;
    case KeyKind::rsa_3072:
      return 3072;
    case KeyKind::rsa_4096:
      return 4096;
    case KeyKind::p256:
      return 256;
    case KeyKind::p384:
      return 384;
    case KeyKind::p521:
      return 521;
  }
  return 0;
}

std::optional<KeyKind> kind_of_bits(unsigned bits) noexcept {
  for (const KeyKind kind : {KeyKind::rsa_1024, KeyKind::rsa_2048, KeyKind::rsa_3072, KeyKind::rsa_4096, KeyKind::p256,
                             KeyKind::p384, KeyKind::p521}) {
    if (bits_of(kind) == bits) return kind;
  }
  return std::nullopt;
}

Result<KeyKind> kind_of(crypto::KeyAlgorithm algorithm, std::size_t bits) {
  switch (algorithm) {
    case crypto::KeyAlgorithm::rsa:
      if (const std::optional<KeyKind> kind = kind_of_bits(static_cast<unsigned>(bits)); kind && is_rsa(*kind)) {
        return *kind;
      }
      return error(Code::key_size_range, "GIDS cards have RSA keys of 1024, 2048, 3072 or 4096 bits");
    case crypto::KeyAlgorithm::p256:
      return KeyKind::p256;
    case crypto::KeyAlgorithm::p384:
      return KeyKind::p384;
    case crypto::KeyAlgorithm::p521:
      return KeyKind::p521;
    default:
      break;
  }
  const bool has_curve = !crypto::facts_of(algorithm).curve_name.empty();
  return has_curve ? Code::curve_not_supported : Code::key_type_inconsistent;
}

Result<KeyKind> kind_of_public_key(ByteView key_info) {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(key_info));
  return kind_of(key->algorithm(), key->size());
}

std::optional<Byte> KeyUse::reference(Signing padding) const {
  return with_padding(signing, static_cast<Byte>(padding));
}

std::optional<Byte> KeyUse::reference(Deciphering padding) const {
  return with_padding(deciphering, static_cast<Byte>(padding));
}

Result<KeyUse> parse_key_file(ByteView control_parameters) {
  CARDEA_ASSIGN(const ByteView parameters, require_tlv(control_parameters, file_control_parameters));
  CARDEA_ASSIGN(const ByteView templates, require_tlv(parameters, reference_templates));
  KeyUse use;
  CARDEA_ASSIGN(const std::optional<ByteView> attribute, find_tlv(parameters, security_attribute));
  if (attribute && use_condition(*attribute) == condition_always) use.pin = PinPolicy::never;
  for (TlvReader reader(templates); !reader.at_end();) {
    CARDEA_ASSIGN(const Tlv one, reader.next());
    CARDEA_TRY(add_template(use, one));
  }
  return use;
}

KeyUse usual_key_use(KeyKind kind, bool exchanges) {
  KeyUse use;
  if (!is_rsa(kind)) {
    use.signing = {static_cast<Byte>(static_cast<Byte>(Signing::raw) | byte_of(kind))};
    return use;
  }
  use.signing = {static_cast<Byte>(static_cast<Byte>(Signing::pkcs1) | byte_of(kind))};
  if (exchanges) use.deciphering = {static_cast<Byte>(static_cast<Byte>(Deciphering::pkcs1) | byte_of(kind))};
  return use;
}

Bytes key_file(Byte key, KeyKind kind, bool exchanges, PinPolicy pin) {
  Bytes templates;
  const auto add = [&](std::uint32_t tag, auto padding) {
    const auto mechanism = static_cast<Byte>(static_cast<Byte>(padding) | byte_of(kind));
    const Bytes one = reference_template(tag, mechanism, key, pin);
    templates.insert(templates.end(), one.begin(), one.end());
  };
  if (is_rsa(kind) && exchanges) {
    for (const auto padding : {Deciphering::raw, Deciphering::oaep, Deciphering::pkcs1}) {
      add(confidentiality_template, padding);
    }
  }
  add(signature_template, Signing::raw);
  if (is_rsa(kind)) add(signature_template, Signing::pkcs1);

  constexpr Byte key_files = 0xb0;
  const Byte use_of_key = pin == PinPolicy::never ? condition_always : condition_user;
  Bytes parameters;
  append_tlv(parameters, file_descriptor, ByteView(&key_file_descriptor, 1));
  append_tlv(parameters, file_identifier, std::array<Byte, 2>{key_files, key});
  append_tlv(parameters, security_attribute,
             std::array<Byte, 5>{access_all, condition_user, use_of_key, condition_user, condition_always});
  append_tlv(parameters, reference_templates, templates);
  return make_tlv(file_control_parameters, parameters);
}

Primitives primitives_of(const KeyUse& use, KeyKind kind) {
  const auto flag = [](Primitive primitive) { return static_cast<Primitives>(primitive); };
  if (!is_rsa(kind)) return use.signing.empty() ? 0 : flag(Primitive::ecdsa_sign);
  Primitives primitives = 0;
  if (use.reference(Signing::pkcs1)) primitives |= flag(Primitive::rsa_pkcs1_sign);
  // With the raw operation, paddings are taken off here, where a wrong one tells nothing.
  if (use.reference(Deciphering::raw) || use.reference(Signing::raw)) return primitives | flag(Primitive::rsa_raw);
  if (use.reference(Deciphering::pkcs1)) primitives |= flag(Primitive::rsa_pkcs1_decrypt);
  if (use.reference(Deciphering::oaep)) primitives |= flag(Primitive::rsa_oaep_decrypt);
  return primitives;
}

Result<Bytes> public_key_info(ByteView key_template) {
  constexpr std::uint32_t public_key_template = 0x7f49;
  constexpr std::uint32_t modulus_tag = 0x81;
  constexpr std::uint32_t exponent_tag = 0x82;
  constexpr std::uint32_t point_tag = 0x86;
  CARDEA_ASSIGN(const ByteView parts, require_tlv(key_template, public_key_template));
  CARDEA_ASSIGN(const std::optional<ByteView> point, find_tlv(parts, point_tag));
  if (point) {
    const auto curve = curve_of_point(point->size());
    if (!curve) return Code::public_key_invalid;
    CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::AsymmetricKey::from_public(*curve, *point));
    return crypto::subject_public_key_info(*key);
  }
  CARDEA_ASSIGN(const ByteView modulus, require_tlv(parts, modulus_tag));
  CARDEA_ASSIGN(const ByteView exponent, require_tlv(parts, exponent_tag));
  crypto::RsaNumbers numbers;
  numbers.modulus = to_bytes(crypto::without_leading_zeros(modulus));
  numbers.public_exponent = to_bytes(crypto::without_leading_zeros(exponent));
  if (!crypto::check_rsa_public(numbers)) return Code::public_key_invalid;
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::AsymmetricKey::rsa(numbers));
  return crypto::subject_public_key_info(*key);
}

Result<SecretBytes> private_key_template(Byte key, ByteView pkcs8, KeyKind& kind) {
  constexpr Byte rsa_type = 2;
  constexpr Byte ec_type = 3;
  constexpr Byte not_enciphered = 0;
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr parsed, crypto::from_private_key_info(pkcs8));
  CARDEA_ASSIGN(kind, kind_of(parsed->algorithm(), parsed->size()));
  CARDEA_ASSIGN(const SecretBytes value, is_rsa(kind) ? rsa_value(*parsed) : ec_value(*parsed));
  const SecretBytes type = byte_object(key_type_tag, is_rsa(kind) ? rsa_type : ec_type);
  const SecretBytes transport = byte_object(transport_key_tag, not_enciphered);
  const SecretBytes wrapped = object(key_value_tag, {value.view()});
  return key_usage_template(key, {type.view(), transport.view(), wrapped.view()});
}

SecretBytes admin_key_template(Byte key, ByteView value, ByteView check_value) {
  const SecretBytes wrapped = object(key_value_tag, {value});
  const SecretBytes check = object(check_value_tag, {check_value});
  return key_usage_template(key, {wrapped.view(), check.view()});
}

Result<std::size_t> plain_signature(ByteView answer, KeyKind kind, MutableBytes out) {
  const std::size_t half = (bits_of(kind) + 7u) / 8;
  if (out.size() < 2 * half) return Code::buffer_too_small;
  if (answer.size() == 2 * half) {
    std::copy(answer.begin(), answer.end(), out.begin());
    return 2 * half;
  }
  crypto::DerReader outer(answer);
  const std::optional<ByteView> sequence = outer.take(crypto::der_sequence);
  if (!sequence || !outer.at_end()) return error(Code::data_invalid, "the card's signature has an unknown form");
  crypto::DerReader numbers(*sequence);
  if (!copy_number(numbers, out.first(half)) || !copy_number(numbers, out.subspan(half, half)) || !numbers.at_end()) {
    return error(Code::data_invalid, "the card's signature has an unknown form");
  }
  return 2 * half;
}

}  // namespace cardea::card::gids
