#include "token/key_attributes.h"

#include <array>

#include "crypto/key_der.h"
#include "crypto/key_encoding.h"

namespace cardea {
namespace {

using crypto::AsymmetricKey;
using crypto::AsymmetricKeyPtr;
using crypto::KeyAlgorithm;
using crypto::KeyFamily;
using crypto::RsaNumbers;

// Parameter sets count from 1 in the order of KeyAlgorithm (CKP_ML_DSA_44, CKP_SLH_DSA_SHA2_128S, CKP_ML_KEM_512).
struct ParameterSets {
  CK_KEY_TYPE type;
  KeyAlgorithm first;
  KeyAlgorithm last;
};
constexpr std::array<ParameterSets, 3> parameter_sets{
    {{CKK_ML_DSA, KeyAlgorithm::ml_dsa_44, KeyAlgorithm::ml_dsa_87},
     {CKK_SLH_DSA, KeyAlgorithm::slh_dsa_sha2_128s, KeyAlgorithm::slh_dsa_shake_256f},
     {CKK_ML_KEM, KeyAlgorithm::ml_kem_512, KeyAlgorithm::ml_kem_1024}}};

// Where an RSA number stands: its attribute and its place in RsaNumbers.
struct RsaSecret {
  CK_ATTRIBUTE_TYPE type;
  SecretBytes RsaNumbers::*place;
};
constexpr std::array<RsaSecret, 6> rsa_secrets{{{CKA_PRIVATE_EXPONENT, &RsaNumbers::private_exponent},
                                                {CKA_PRIME_1, &RsaNumbers::prime_1},
                                                {CKA_PRIME_2, &RsaNumbers::prime_2},
                                                {CKA_EXPONENT_1, &RsaNumbers::exponent_1},
                                                {CKA_EXPONENT_2, &RsaNumbers::exponent_2},
                                                {CKA_COEFFICIENT, &RsaNumbers::coefficient}}};

Result<KeyAlgorithm> by_curve(KeyFamily family, const AttributeSet& attributes) {
  const auto parameters = attributes.get(CKA_EC_PARAMS);
  if (!parameters) return Code::template_incomplete;
  crypto::CurveProblem problem{};
  if (const auto found = crypto::curve_of_parameters(family, *parameters, problem)) return *found;
  return problem == crypto::CurveProblem::unknown ? Code::curve_not_supported : Code::domain_params_invalid;
}

Result<KeyAlgorithm> by_parameter_set(const ParameterSets& sets, const AttributeSet& attributes) {
  const auto set = attributes.get_ulong(CKA_PARAMETER_SET);
  if (!set) return Code::template_incomplete;
  const auto first = static_cast<CK_ULONG>(sets.first);
  const auto last = static_cast<CK_ULONG>(sets.last);
  if (*set == 0 || *set > last - first + 1) return Code::attribute_value_invalid;
  return static_cast<KeyAlgorithm>(first + *set - 1);
}

ByteView value_of(const AttributeSet& attributes, const SecretAttributes& secrets, CK_ATTRIBUTE_TYPE type) {
  if (const auto secret = secrets.find(type); secret != secrets.end()) return secret->second.view();
  return attributes.get(type).value_or(ByteView());
}

Bytes unsigned_number(const AttributeSet& attributes, CK_ATTRIBUTE_TYPE type) {
  return to_bytes(crypto::without_leading_zeros(attributes.get(type).value_or(ByteView())));
}

Result<AsymmetricKeyPtr> rsa_private(const AttributeSet& attributes, const SecretAttributes& secrets, bool checked) {
  RsaNumbers numbers;
  numbers.modulus = unsigned_number(attributes, CKA_MODULUS);
  numbers.public_exponent = unsigned_number(attributes, CKA_PUBLIC_EXPONENT);
  bool complete = !numbers.modulus.empty() && !numbers.public_exponent.empty();
  for (const RsaSecret& secret : rsa_secrets) {
    const ByteView value = crypto::without_leading_zeros(value_of(attributes, secrets, secret.type));
    complete = complete && !value.empty();
    numbers.*secret.place = SecretBytes(value);
  }
  if (!checked || !complete) CARDEA_TRY(crypto::complete_rsa(numbers));
  return AsymmetricKey::rsa(numbers);
}

Status describe_algorithm(const AsymmetricKey& key, AttributeSet& attributes) {
  for (const ParameterSets& sets : parameter_sets) {
    if (key_type_of(key.algorithm()) != sets.type) continue;
    attributes.set_ulong(CKA_PARAMETER_SET,
                         static_cast<CK_ULONG>(key.algorithm()) - static_cast<CK_ULONG>(sets.first) + 1);
    return {};
  }
  if (key.algorithm() != KeyAlgorithm::rsa && !attributes.has(CKA_EC_PARAMS))
    attributes.set(CKA_EC_PARAMS, view_of(key.facts().oid));
  return {};
}

Status describe_info(const AsymmetricKey& key, AttributeSet& attributes) {
  CARDEA_ASSIGN(const Bytes info, crypto::subject_public_key_info(key));
  const auto given = attributes.get(CKA_PUBLIC_KEY_INFO);
  if (given && !given->empty() && !same_bytes(*given, info)) return Code::attribute_value_invalid;
  attributes.set(CKA_PUBLIC_KEY_INFO, info);
  return {};
}

}  // namespace

CK_KEY_TYPE key_type_of(KeyAlgorithm algorithm) noexcept {
  switch (crypto::facts_of(algorithm).family) {
    case KeyFamily::rsa:
      return CKK_RSA;
    case KeyFamily::ec:
      return CKK_EC;
    case KeyFamily::edwards:
      return CKK_EC_EDWARDS;
    case KeyFamily::montgomery:
      return CKK_EC_MONTGOMERY;
    case KeyFamily::ml_dsa:
      return CKK_ML_DSA;
    case KeyFamily::slh_dsa:
      return CKK_SLH_DSA;
    case KeyFamily::ml_kem:
      break;
  }
  return CKK_ML_KEM;
}

Result<KeyAlgorithm> algorithm_of(CK_KEY_TYPE type, const AttributeSet& attributes) {
  switch (type) {
    case CKK_RSA:
      return KeyAlgorithm::rsa;
    case CKK_EC:
      return by_curve(KeyFamily::ec, attributes);
    case CKK_EC_EDWARDS:
      return by_curve(KeyFamily::edwards, attributes);
    case CKK_EC_MONTGOMERY:
      return by_curve(KeyFamily::montgomery, attributes);
    default:
      break;
  }
  for (const ParameterSets& sets : parameter_sets) {
    if (sets.type == type) return by_parameter_set(sets, attributes);
  }
  return Code::attribute_value_invalid;
}

Result<AsymmetricKeyPtr> public_key(const AttributeSet& attributes) {
  CARDEA_ASSIGN(const KeyAlgorithm algorithm,
                algorithm_of(attributes.get_ulong(CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION), attributes));
  const KeyFamily family = crypto::facts_of(algorithm).family;
  if (family == KeyFamily::rsa) {
    RsaNumbers numbers;
    numbers.modulus = unsigned_number(attributes, CKA_MODULUS);
    numbers.public_exponent = unsigned_number(attributes, CKA_PUBLIC_EXPONENT);
    if (numbers.modulus.empty() || numbers.public_exponent.empty()) return Code::template_incomplete;
    CARDEA_TRY(crypto::check_rsa_public(numbers));
    return AsymmetricKey::rsa(numbers);
  }
  const bool curve = family == KeyFamily::ec || family == KeyFamily::edwards || family == KeyFamily::montgomery;
  const auto given = attributes.get(curve ? CKA_EC_POINT : CKA_VALUE);
  if (!given || given->empty()) return Code::template_incomplete;
  const auto value = curve ? crypto::point_octets(algorithm, *given) : given;
  if (!value) return Code::attribute_value_invalid;
  auto key = AsymmetricKey::from_public(algorithm, *value);
  if (!key) return error(Code::attribute_value_invalid, key.error().detail);
  return key;
}

Result<AsymmetricKeyPtr> private_key(const AttributeSet& attributes, const SecretAttributes& secrets, bool checked) {
  CARDEA_ASSIGN(const KeyAlgorithm algorithm,
                algorithm_of(attributes.get_ulong(CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION), attributes));
  if (algorithm == KeyAlgorithm::rsa) return rsa_private(attributes, secrets, checked);
  const ByteView value = value_of(attributes, secrets, CKA_VALUE);
  const ByteView seed = value_of(attributes, secrets, CKA_SEED);
  if (value.empty() && seed.empty()) return Code::template_incomplete;
  CARDEA_ASSIGN(AsymmetricKeyPtr key, AsymmetricKey::from_private(algorithm, value, seed));
  if (!checked) CARDEA_TRY(key->check_private());
  return key;
}

Status describe_public(const AsymmetricKey& key, AttributeSet& attributes) {
  CARDEA_TRY(describe_algorithm(key, attributes));
  const KeyFamily family = key.facts().family;
  if (family == KeyFamily::rsa) {
    CARDEA_ASSIGN(const RsaNumbers numbers, key.rsa_public_numbers());
    attributes.set(CKA_MODULUS, numbers.modulus);
    attributes.set_ulong(CKA_MODULUS_BITS, key.size());
    attributes.set(CKA_PUBLIC_EXPONENT, numbers.public_exponent);
  } else {
    CARDEA_ASSIGN(const Bytes value, key.public_value());
    // An X9.62 point stands inside an OCTET STRING; Edwards and Montgomery keys stand as their RFC's bytes
    // (PKCS#11 3.2, 6.3).
    if (family == KeyFamily::ec)
      attributes.set(CKA_EC_POINT, crypto::der<Bytes>(crypto::der_octet_string, {value}));
    else if (family == KeyFamily::edwards || family == KeyFamily::montgomery)
      attributes.set(CKA_EC_POINT, value);
    else
      attributes.set(CKA_VALUE, value);
  }
  return describe_info(key, attributes);
}

Status describe_private(const AsymmetricKey& key, AttributeSet& attributes, SecretAttributes& secrets) {
  CARDEA_TRY(describe_algorithm(key, attributes));
  if (key.algorithm() == KeyAlgorithm::rsa) {
    CARDEA_ASSIGN(RsaNumbers numbers, key.rsa_numbers());
    attributes.set(CKA_MODULUS, numbers.modulus);
    attributes.set(CKA_PUBLIC_EXPONENT, numbers.public_exponent);
    for (const RsaSecret& secret : rsa_secrets) {
      attributes.erase(secret.type);
      secrets.insert_or_assign(secret.type, std::move(numbers.*secret.place));
    }
  } else {
    CARDEA_ASSIGN(SecretBytes value, key.private_value());
    CARDEA_ASSIGN(SecretBytes seed, key.seed());
    attributes.erase(CKA_VALUE);
    attributes.erase(CKA_SEED);
    secrets.insert_or_assign(CKA_VALUE, std::move(value));
    if (!seed.empty()) secrets.insert_or_assign(CKA_SEED, std::move(seed));
  }
  return describe_info(key, attributes);
}

}  // namespace cardea
