#include "crypto/key_encoding.h"

#include <array>

#include "crypto/key_der.h"

namespace cardea::crypto {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view ec_public_key_oid = "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"sv;
constexpr std::string_view null_element = "\x05\x00"sv;
constexpr std::array<Byte, 1> no_unused_bits{0};
constexpr Byte explicit_0 = 0xa0;
constexpr Byte explicit_1 = 0xa1;
constexpr Byte implicit_0 = 0x80;
constexpr Byte implicit_1 = 0x81;

Bytes algorithm_identifier(const AsymmetricKey& key) {
  const ByteView oid = view_of(key.facts().oid);
  switch (key.facts().family) {
    case KeyFamily::rsa:
      return der<Bytes>(der_sequence, {oid, view_of(null_element)});
    case KeyFamily::ec:
      return der<Bytes>(der_sequence, {view_of(ec_public_key_oid), oid});
    default:
      return der<Bytes>(der_sequence, {oid});
  }
}

// The algorithm that an AlgorithmIdentifier's content names.
Result<KeyAlgorithm> read_algorithm(ByteView content, Code malformed) {
  DerReader reader(content);
  const auto oid = reader.take_whole(der_oid);
  if (!oid) return malformed;
  if (same_bytes(*oid, view_of(ec_public_key_oid))) {
    CurveProblem problem{};
    const auto curve = curve_of_parameters(KeyFamily::ec, content.subspan(oid->size()), problem);
    if (curve) return *curve;
    return problem == CurveProblem::unknown ? Code::curve_not_supported : malformed;
  }
  if (reader.take(der_null); !reader.at_end()) return malformed;
  for (const KeyFamily family : {KeyFamily::rsa, KeyFamily::edwards, KeyFamily::montgomery, KeyFamily::ml_dsa,
                                 KeyFamily::slh_dsa, KeyFamily::ml_kem}) {
    if (const auto found = algorithm_by_oid(family, *oid)) return *found;
  }
  return malformed;
}

Result<SecretBytes> rsa_private_key(const AsymmetricKey& key) {
  CARDEA_ASSIGN(const RsaNumbers rsa, key.rsa_numbers());
  const auto integer = [](ByteView number) { return der_integer<SecretBytes>(number); };
  const SecretBytes version = integer({});
  const SecretBytes n = integer(rsa.modulus);
  const SecretBytes e = integer(rsa.public_exponent);
  const SecretBytes d = integer(rsa.private_exponent.view());
  const SecretBytes p = integer(rsa.prime_1.view());
  const SecretBytes q = integer(rsa.prime_2.view());
  const SecretBytes dp = integer(rsa.exponent_1.view());
  const SecretBytes dq = integer(rsa.exponent_2.view());
  const SecretBytes qi = integer(rsa.coefficient.view());
  return der<SecretBytes>(der_sequence, {version.view(), n.view(), e.view(), d.view(), p.view(), q.view(), dp.view(),
                                         dq.view(), qi.view()});
}

Result<SecretBytes> ec_private_key(const AsymmetricKey& key) {
  constexpr std::array<Byte, 1> one{1};
  CARDEA_ASSIGN(const SecretBytes scalar, key.private_value());
  CARDEA_ASSIGN(const Bytes point, key.public_value());
  const SecretBytes version = der_integer<SecretBytes>(one);
  const SecretBytes value = der<SecretBytes>(der_octet_string, {scalar.view()});
  const Bytes bits = der<Bytes>(der_bit_string, {no_unused_bits, point});
  const Bytes public_key = der<Bytes>(explicit_1, {bits});
  return der<SecretBytes>(der_sequence, {version.view(), value.view(), public_key});
}

// RFC 9881 and RFC 9935: the seed with the expanded key where there is a seed, else the expanded key alone.
Result<SecretBytes> seeded_private_key(const AsymmetricKey& key) {
  CARDEA_ASSIGN(const SecretBytes value, key.private_value());
  CARDEA_ASSIGN(const SecretBytes seed, key.seed());
  SecretBytes expanded = der<SecretBytes>(der_octet_string, {value.view()});
  if (seed.empty()) return expanded;
  const SecretBytes seed_element = der<SecretBytes>(der_octet_string, {seed.view()});
  return der<SecretBytes>(der_sequence, {seed_element.view(), expanded.view()});
}

Result<SecretBytes> private_key_content(const AsymmetricKey& key) {
  switch (key.facts().family) {
    case KeyFamily::rsa:
      return rsa_private_key(key);
    case KeyFamily::ec:
      return ec_private_key(key);
    case KeyFamily::edwards:
    case KeyFamily::montgomery: {
      CARDEA_ASSIGN(const SecretBytes value, key.private_value());
      return der<SecretBytes>(der_octet_string, {value.view()});
    }
    case KeyFamily::slh_dsa:
      return key.private_value();
    case KeyFamily::ml_dsa:
    case KeyFamily::ml_kem:
      break;
  }
  return seeded_private_key(key);
}

Result<AsymmetricKeyPtr> read_rsa_private(ByteView encoded) {
  DerReader outer(encoded);
  const auto content = outer.take(der_sequence);
  if (!content || !outer.at_end()) return Code::wrapped_key_invalid;
  DerReader reader(*content);
  std::array<ByteView, 9> numbers;
  for (ByteView& number : numbers) {
    const auto taken = reader.take_unsigned();
    if (!taken) return Code::wrapped_key_invalid;
    number = *taken;
  }
  // Version 0 only: more than two primes would come with version 1.
  if (!numbers[0].empty() || !reader.at_end()) return Code::wrapped_key_invalid;
  RsaNumbers rsa{to_bytes(numbers[1]),    to_bytes(numbers[2]),    SecretBytes(numbers[3]), SecretBytes(numbers[4]),
                 SecretBytes(numbers[5]), SecretBytes(numbers[6]), SecretBytes(numbers[7]), SecretBytes(numbers[8])};
  if (!complete_rsa(rsa)) return Code::wrapped_key_invalid;
  return AsymmetricKey::rsa(rsa);
}

Result<AsymmetricKeyPtr> read_ec_private(KeyAlgorithm curve, ByteView encoded) {
  DerReader outer(encoded);
  const auto content = outer.take(der_sequence);
  if (!content || !outer.at_end()) return Code::wrapped_key_invalid;
  DerReader reader(*content);
  const auto version = reader.take_unsigned();
  const auto scalar = reader.take(der_octet_string);
  if (!version || version->size() != 1 || (*version)[0] != 1 || !scalar) return Code::wrapped_key_invalid;
  reader.take(explicit_0);
  const auto public_key = reader.take(explicit_1);
  if (!reader.at_end()) return Code::wrapped_key_invalid;
  CARDEA_ASSIGN(AsymmetricKeyPtr key, AsymmetricKey::from_private(curve, *scalar));
  CARDEA_TRY(key->check_private());
  if (!public_key) return key;
  DerReader bits(*public_key);
  const auto point = bits.take(der_bit_string);
  if (!point || point->size() < 2 || (*point)[0] != 0) return Code::wrapped_key_invalid;
  CARDEA_ASSIGN(const AsymmetricKeyPtr stated, AsymmetricKey::from_public(curve, point->subspan(1)));
  CARDEA_ASSIGN(const Bytes stated_point, stated->public_value());
  CARDEA_ASSIGN(const Bytes own_point, key->public_value());
  if (stated_point != own_point) return Code::wrapped_key_invalid;
  return key;
}

Result<AsymmetricKeyPtr> read_seeded_private(KeyAlgorithm algorithm, ByteView encoded) {
  DerReader reader(encoded);
  std::optional<ByteView> seed;
  std::optional<ByteView> value;
  if (reader.next_tag() == implicit_0) {
    seed = reader.take(implicit_0);
  } else if (reader.next_tag() == der_octet_string) {
    value = reader.take(der_octet_string);
  } else if (const auto both = reader.take(der_sequence)) {
    DerReader inner(*both);
    seed = inner.take(der_octet_string);
    value = inner.take(der_octet_string);
    if (!seed || !value || !inner.at_end()) return Code::wrapped_key_invalid;
  }
  if ((!seed && !value) || !reader.at_end()) return Code::wrapped_key_invalid;
  return AsymmetricKey::from_private(algorithm, value.value_or(ByteView()), seed.value_or(ByteView()));
}

Result<AsymmetricKeyPtr> read_private(KeyAlgorithm algorithm, ByteView encoded) {
  switch (facts_of(algorithm).family) {
    case KeyFamily::rsa:
      return read_rsa_private(encoded);
    case KeyFamily::ec:
      return read_ec_private(algorithm, encoded);
    case KeyFamily::edwards:
    case KeyFamily::montgomery: {
      DerReader reader(encoded);
      const auto value = reader.take(der_octet_string);
      if (!value || !reader.at_end()) return Code::wrapped_key_invalid;
      return AsymmetricKey::from_private(algorithm, *value);
    }
    case KeyFamily::slh_dsa: {
      CARDEA_ASSIGN(AsymmetricKeyPtr key, AsymmetricKey::from_private(algorithm, encoded));
      CARDEA_TRY(key->check_private());
      return key;
    }
    case KeyFamily::ml_dsa:
    case KeyFamily::ml_kem:
      break;
  }
  return read_seeded_private(algorithm, encoded);
}

}  // namespace

Result<Bytes> subject_public_key_info(const AsymmetricKey& key) {
  const Bytes identifier = algorithm_identifier(key);
  Bytes value;
  if (key.algorithm() == KeyAlgorithm::rsa) {
    CARDEA_ASSIGN(const RsaNumbers rsa, key.rsa_public_numbers());
    const Bytes n = der_integer<Bytes>(rsa.modulus);
    const Bytes e = der_integer<Bytes>(rsa.public_exponent);
    value = der<Bytes>(der_sequence, {n, e});
  } else {
    CARDEA_ASSIGN(value, key.public_value());
  }
  const Bytes bits = der<Bytes>(der_bit_string, {no_unused_bits, value});
  return der<Bytes>(der_sequence, {identifier, bits});
}

Result<AsymmetricKeyPtr> from_subject_public_key_info(ByteView encoded) {
  DerReader outer(encoded);
  const auto content = outer.take(der_sequence);
  if (!content || !outer.at_end()) return Code::public_key_invalid;
  DerReader reader(*content);
  const auto identifier = reader.take(der_sequence);
  const auto bits = reader.take(der_bit_string);
  if (!identifier || !bits || !reader.at_end() || bits->empty() || (*bits)[0] != 0) return Code::public_key_invalid;
  const ByteView value = bits->subspan(1);
  CARDEA_ASSIGN(const KeyAlgorithm algorithm, read_algorithm(*identifier, Code::public_key_invalid));
  if (algorithm != KeyAlgorithm::rsa) return AsymmetricKey::from_public(algorithm, value);
  DerReader rsa_outer(value);
  const auto rsa = rsa_outer.take(der_sequence);
  if (!rsa || !rsa_outer.at_end()) return Code::public_key_invalid;
  DerReader numbers(*rsa);
  const auto n = numbers.take_unsigned();
  const auto e = numbers.take_unsigned();
  if (!n || !e || !numbers.at_end()) return Code::public_key_invalid;
  RsaNumbers parts;
  parts.modulus = to_bytes(*n);
  parts.public_exponent = to_bytes(*e);
  if (!check_rsa_public(parts)) return Code::public_key_invalid;
  return AsymmetricKey::rsa(parts);
}

Result<SecretBytes> private_key_info(const AsymmetricKey& key) {
  CARDEA_ASSIGN(const SecretBytes content, private_key_content(key));
  const Bytes version = der_integer<Bytes>({});
  const Bytes identifier = algorithm_identifier(key);
  const SecretBytes value = der<SecretBytes>(der_octet_string, {content.view()});
  return der<SecretBytes>(der_sequence, {version, identifier, value.view()});
}

Result<AsymmetricKeyPtr> from_private_key_info(ByteView encoded) {
  DerReader outer(encoded);
  const auto content = outer.take(der_sequence);
  if (!content || !outer.at_end()) return Code::wrapped_key_invalid;
  DerReader reader(*content);
  const auto version = reader.take_unsigned();
  const auto identifier = reader.take(der_sequence);
  const auto value = reader.take(der_octet_string);
  if (!version || version->size() > 1 || !identifier || !value) return Code::wrapped_key_invalid;
  // Attributes and (RFC 5958) a public key may follow; the private key determines the latter.
  reader.take(explicit_0);
  reader.take(implicit_1);
  if (!reader.at_end()) return Code::wrapped_key_invalid;
  CARDEA_ASSIGN(const KeyAlgorithm algorithm, read_algorithm(*identifier, Code::wrapped_key_invalid));
  auto key = read_private(algorithm, *value);
  if (!key) return error(Code::wrapped_key_invalid, key.error().detail);
  return key;
}

std::optional<ByteView> point_octets(KeyAlgorithm algorithm, ByteView given) noexcept {
  const KeyAlgorithmFacts& facts = facts_of(algorithm);
  const auto fits = [&](ByteView point) {
    // A compressed point has one coordinate and the other's parity (SEC 1, 2.3.3).
    const bool compressed = facts.family == KeyFamily::ec && point.size() == 1 + facts.public_size / 2;
    return point.size() == facts.public_size || compressed;
  };
  if (fits(given)) return given;
  DerReader reader(given);
  const auto content = reader.take(der_octet_string);
  if (content && reader.at_end() && fits(*content)) return content;
  return std::nullopt;
}

}  // namespace cardea::crypto
