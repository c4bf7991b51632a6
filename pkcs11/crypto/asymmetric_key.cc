#include "crypto/asymmetric_key.h"

#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <bit>

#include "crypto/key_der.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

// OpenSSL takes numbers in the machine's byte order.
SecretBytes native_number(ByteView big_endian) {
  SecretBytes out(big_endian);
  if constexpr (std::endian::native == std::endian::little) std::reverse(out.data(), out.data() + out.size());
  return out;
}

OSSL_PARAM number_parameter(const char* key, SecretBytes& native) {
  return OSSL_PARAM_construct_BN(key, native.data(), native.size());
}

OSSL_PARAM octets_parameter(const char* key, ByteView bytes) {
  return OSSL_PARAM_construct_octet_string(key, const_cast<Byte*>(bytes.data()), bytes.size());
}

// By these names OpenSSL would hand the key to an ENGINE that the host made its default for RSA or EC, which may be the
// one that brought it to us (`openssl -engine pkcs11` does so). It does not look for engines under a dotted identifier.
constexpr const char* rsa_type_name = "1.2.840.113549.1.1.1";
constexpr const char* ec_type_name = "1.2.840.10045.2.1";

const char* key_type_name(const KeyAlgorithmFacts& facts) {
  switch (facts.family) {
    case KeyFamily::rsa:
      return rsa_type_name;
    case KeyFamily::ec:
      return ec_type_name;
    default:
      return facts.name;
  }
}

PkeyPtr from_parameters(const char* type, int selection, OSSL_PARAM* parameters) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(crypto::context(), type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, parameters) != 1) {
    EVP_PKEY_free(key);
    return nullptr;
  }
  return PkeyPtr(key);
}

OSSL_PARAM curve_parameter(const KeyAlgorithmFacts& facts) {
  return OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(facts.name), 0);
}

Result<AsymmetricKeyPtr> made(KeyAlgorithm algorithm, PkeyPtr key, bool is_private, Code failure) {
  if (!key) return openssl_error(failure);
  return AsymmetricKeyPtr(std::make_shared<AsymmetricKey>(algorithm, std::move(key), is_private));
}

Result<Bytes> number(const EVP_PKEY* key, const char* parameter) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, parameter, &value) != 1) return openssl_error(Code::internal);
  const BigNumberPtr owner(value);
  Bytes out(static_cast<std::size_t>(BN_num_bytes(value)));
  BN_bn2bin(value, out.data());
  return out;
}

Result<SecretBytes> secret_number(const EVP_PKEY* key, const char* parameter, std::size_t size = 0) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, parameter, &value) != 1) return openssl_error(Code::internal);
  const BigNumberPtr owner(value);
  SecretBytes out(std::max(size, static_cast<std::size_t>(BN_num_bytes(value))));
  if (BN_bn2binpad(value, out.data(), static_cast<int>(out.size())) < 0) return openssl_error(Code::internal);
  return out;
}

// OpenSSL leaves the public point out of a key made from its scalar alone.
Result<Bytes> point_of_scalar(const KeyAlgorithmFacts& facts, ByteView scalar) {
  const CurvePtr curve(EC_GROUP_new_by_curve_name_ex(
      context(), nullptr,
      EC_curve_nist2nid(facts.name) != NID_undef ? EC_curve_nist2nid(facts.name) : OBJ_sn2nid(facts.name)));
  const PointPtr point(curve ? EC_POINT_new(curve.get()) : nullptr);
  const BigNumberPtr d(BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), nullptr));
  Bytes out(facts.public_size);
  if (!point || !d) return openssl_error(Code::host_memory);
  BN_set_flags(d.get(), BN_FLG_CONSTTIME);
  if (EC_POINT_mul(curve.get(), point.get(), d.get(), nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(curve.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, out.data(), out.size(), nullptr) !=
          out.size())
    return openssl_error(Code::attribute_value_invalid);
  return out;
}

}  // namespace

AsymmetricKey::AsymmetricKey(KeyAlgorithm algorithm, PkeyPtr key, bool is_private)
    : algorithm_(algorithm), private_(is_private), key_(std::move(key)) {
  const bool rsa = algorithm == KeyAlgorithm::rsa;
  size_ = rsa ? static_cast<std::size_t>(EVP_PKEY_get_bits(key_.get())) : facts().size;
  output_size_ = rsa ? (size_ + 7) / 8 : facts().output_size;
}

Result<AsymmetricKeyPtr> AsymmetricKey::rsa(const RsaNumbers& numbers) {
  std::array<SecretBytes, 8> native{native_number(numbers.modulus),
                                    native_number(numbers.public_exponent),
                                    native_number(numbers.private_exponent.view()),
                                    native_number(numbers.prime_1.view()),
                                    native_number(numbers.prime_2.view()),
                                    native_number(numbers.exponent_1.view()),
                                    native_number(numbers.exponent_2.view()),
                                    native_number(numbers.coefficient.view())};
  std::array<OSSL_PARAM, 9> parameters{number_parameter(OSSL_PKEY_PARAM_RSA_N, native[0]),
                                       number_parameter(OSSL_PKEY_PARAM_RSA_E, native[1]),
                                       number_parameter(OSSL_PKEY_PARAM_RSA_D, native[2]),
                                       number_parameter(OSSL_PKEY_PARAM_RSA_FACTOR1, native[3]),
                                       number_parameter(OSSL_PKEY_PARAM_RSA_FACTOR2, native[4]),
                                       number_parameter(OSSL_PKEY_PARAM_RSA_EXPONENT1, native[5]),
                                       number_parameter(OSSL_PKEY_PARAM_RSA_EXPONENT2, native[6]),
                                       number_parameter(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, native[7]),
                                       OSSL_PARAM_construct_end()};
  if (!numbers.is_private()) parameters[2] = OSSL_PARAM_construct_end();
  const int selection = numbers.is_private() ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  return made(KeyAlgorithm::rsa, from_parameters(rsa_type_name, selection, parameters.data()), numbers.is_private(),
              Code::attribute_value_invalid);
}

Result<AsymmetricKeyPtr> AsymmetricKey::from_public(KeyAlgorithm algorithm, ByteView value) {
  const KeyAlgorithmFacts& facts = facts_of(algorithm);
  const bool ec = facts.family == KeyFamily::ec;
  // The point at infinity, one zero byte, is no public key (SP 800-56A rev. 3, 5.6.2.3).
  if (value.size() < 2 || (!ec && value.size() != facts.public_size)) return Code::public_key_invalid;
  std::array<OSSL_PARAM, 3> parameters{octets_parameter(OSSL_PKEY_PARAM_PUB_KEY, value), OSSL_PARAM_construct_end(),
                                       OSSL_PARAM_construct_end()};
  if (ec) parameters[1] = curve_parameter(facts);
  return made(algorithm, from_parameters(key_type_name(facts), EVP_PKEY_PUBLIC_KEY, parameters.data()), false,
              Code::public_key_invalid);
}

Result<AsymmetricKeyPtr> AsymmetricKey::from_private(KeyAlgorithm algorithm, ByteView value, ByteView seed) {
  const KeyAlgorithmFacts& facts = facts_of(algorithm);
  const bool ec = facts.family == KeyFamily::ec;
  if (ec) value = without_leading_zeros(value);
  const bool value_fits =
      ec ? !value.empty() && value.size() <= facts.private_size : value.size() == facts.private_size;
  const bool seed_fits = seed.empty() || seed.size() == facts.seed_size;
  if (!seed_fits || !(value_fits || (value.empty() && !seed.empty()))) return Code::attribute_value_invalid;
  SecretBytes scalar;
  std::array<OSSL_PARAM, 3> parameters;
  std::size_t count = 0;
  if (ec) {
    scalar = native_number(value);
    parameters[count++] = curve_parameter(facts);
    parameters[count++] = number_parameter(OSSL_PKEY_PARAM_PRIV_KEY, scalar);
  } else {
    if (!value.empty()) parameters[count++] = octets_parameter(OSSL_PKEY_PARAM_PRIV_KEY, value);
    if (!seed.empty()) parameters[count++] = octets_parameter("seed", seed);
  }
  parameters[count] = OSSL_PARAM_construct_end();
  return made(algorithm, from_parameters(key_type_name(facts), EVP_PKEY_KEYPAIR, parameters.data()), true,
              Code::attribute_value_invalid);
}

Result<AsymmetricKeyPtr> AsymmetricKey::generate(KeyAlgorithm algorithm) {
  const KeyAlgorithmFacts& facts = facts_of(algorithm);
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(crypto::context(), key_type_name(facts), nullptr));
  const std::array<OSSL_PARAM, 2> parameters{curve_parameter(facts), OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      (facts.family == KeyFamily::ec && EVP_PKEY_CTX_set_params(context.get(), parameters.data()) != 1) ||
      EVP_PKEY_generate(context.get(), &key) != 1)
    return openssl_error(Code::internal);
  return made(algorithm, PkeyPtr(key), true, Code::internal);
}

Result<AsymmetricKeyPtr> AsymmetricKey::generate_rsa(std::size_t bits, ByteView exponent) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(crypto::context(), rsa_type_name, nullptr));
  SecretBytes native = native_number(exponent);
  const std::array<OSSL_PARAM, 3> parameters{OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                                             number_parameter(OSSL_PKEY_PARAM_RSA_E, native),
                                             OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_params(context.get(), parameters.data()) != 1 || EVP_PKEY_generate(context.get(), &key) != 1)
    return openssl_error(Code::internal);
  return made(KeyAlgorithm::rsa, PkeyPtr(key), true, Code::internal);
}

Result<RsaNumbers> AsymmetricKey::rsa_public_numbers() const {
  RsaNumbers numbers;
  CARDEA_ASSIGN(numbers.modulus, number(key_.get(), OSSL_PKEY_PARAM_RSA_N));
  CARDEA_ASSIGN(numbers.public_exponent, number(key_.get(), OSSL_PKEY_PARAM_RSA_E));
  return numbers;
}

Result<RsaNumbers> AsymmetricKey::rsa_numbers() const {
  CARDEA_ASSIGN(RsaNumbers numbers, rsa_public_numbers());
  if (!private_) return numbers;
  CARDEA_ASSIGN(numbers.private_exponent, secret_number(key_.get(), OSSL_PKEY_PARAM_RSA_D));
  CARDEA_ASSIGN(numbers.prime_1, secret_number(key_.get(), OSSL_PKEY_PARAM_RSA_FACTOR1));
  CARDEA_ASSIGN(numbers.prime_2, secret_number(key_.get(), OSSL_PKEY_PARAM_RSA_FACTOR2));
  CARDEA_ASSIGN(numbers.exponent_1, secret_number(key_.get(), OSSL_PKEY_PARAM_RSA_EXPONENT1));
  CARDEA_ASSIGN(numbers.exponent_2, secret_number(key_.get(), OSSL_PKEY_PARAM_RSA_EXPONENT2));
  CARDEA_ASSIGN(numbers.coefficient, secret_number(key_.get(), OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
  return numbers;
}

Result<Bytes> AsymmetricKey::public_value() const {
  Bytes out(facts().public_size);
  std::size_t written = 0;
  if (facts().family != KeyFamily::ec) {
    if (EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, out.data(), out.size(), &written) != 1 ||
        written != out.size())
      return openssl_error(Code::internal);
    return out;
  }
  // Coordinates, not the encoded point: the latter keeps the compressed form that the key was made from.
  BIGNUM* x = nullptr;
  BIGNUM* y = nullptr;
  const bool known = EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                     EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1;
  const BigNumberPtr x_owner(x);
  const BigNumberPtr y_owner(y);
  if (!known && private_) {
    CARDEA_ASSIGN(const SecretBytes scalar, private_value());
    return point_of_scalar(facts(), scalar.view());
  }
  const int half = static_cast<int>(facts().public_size / 2);
  out[0] = POINT_CONVERSION_UNCOMPRESSED;
  if (!known || BN_bn2binpad(x, out.data() + 1, half) != half || BN_bn2binpad(y, out.data() + 1 + half, half) != half)
    return openssl_error(Code::internal);
  return out;
}

Result<SecretBytes> AsymmetricKey::octets(const char* parameter) const {
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key_.get(), parameter, nullptr, 0, &size) != 1) {
    return openssl_error(Code::not_found);
  }
  SecretBytes out(size);
  if (EVP_PKEY_get_octet_string_param(key_.get(), parameter, out.data(), out.size(), &size) != 1)
    return openssl_error(Code::internal);
  return out;
}

Result<SecretBytes> AsymmetricKey::private_value() const {
  if (facts().family == KeyFamily::ec) return secret_number(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY, facts().private_size);
  return octets(OSSL_PKEY_PARAM_PRIV_KEY);
}

Status AsymmetricKey::check_private() const {
  const bool ec = facts().family == KeyFamily::ec;
  // ML-DSA and ML-KEM keys are compared with their own hashes when they are made; an SLH-DSA key has none.
  if (!ec && facts().family != KeyFamily::slh_dsa) return {};
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(crypto::context(), key_.get(), nullptr));
  if (!context || (ec ? EVP_PKEY_private_check(context.get()) : EVP_PKEY_pairwise_check(context.get())) != 1)
    return openssl_error(Code::attribute_value_invalid);
  return {};
}

Result<SecretBytes> AsymmetricKey::seed() const {
  if (facts().seed_size == 0 || !private_) return SecretBytes();
  auto found = octets("seed");
  if (!found && found.code() == Code::not_found) return SecretBytes();
  return found;
}

}  // namespace cardea::crypto
