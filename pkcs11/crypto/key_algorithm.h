// The kinds of asymmetric keys, what is fixed about each, and how they are named in DER.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace cardea::crypto {

/// A key's algorithm with its curve or parameter set. The SLH-DSA sets stand in the order of CKP_SLH_DSA_*.
enum class KeyAlgorithm : std::uint8_t {
  rsa,
  p256,
  p384,
  p521,
  secp256k1,
  ed25519,
  ed448,
  x25519,
  x448,
  ml_dsa_44,
  ml_dsa_65,
  ml_dsa_87,
  slh_dsa_sha2_128s,
  slh_dsa_shake_128s,
  slh_dsa_sha2_128f,
  slh_dsa_shake_128f,
  slh_dsa_sha2_192s,
  slh_dsa_shake_192s,
  slh_dsa_sha2_192f,
  slh_dsa_shake_192f,
  slh_dsa_sha2_256s,
  slh_dsa_shake_256s,
  slh_dsa_sha2_256f,
  slh_dsa_shake_256f,
  ml_kem_512,
  ml_kem_768,
  ml_kem_1024
};
inline constexpr std::size_t key_algorithm_count = 27;

/// What keys of several algorithms have in common.
enum class KeyFamily : std::uint8_t { rsa, ec, edwards, montgomery, ml_dsa, slh_dsa, ml_kem };

/// What is fixed for an algorithm; all sizes are 0 for RSA, where they follow from the modulus.
struct KeyAlgorithmFacts {
  KeyFamily family;
  const char* name;             ///< OpenSSL's name of the algorithm, of the curve for KeyFamily::ec
  std::string_view oid;         ///< DER of the identifier: of the curve for KeyFamily::ec, else of the algorithm
  std::string_view curve_name;  ///< PrintableString in CKA_EC_PARAMS (PKCS#11 3.2, 6.3); empty without a curve
  std::size_t size;             ///< bits of the curve, or bytes of the public key for post-quantum algorithms
  std::size_t public_size;      ///< bytes; a point of KeyFamily::ec is uncompressed
  std::size_t private_size;     ///< bytes of the scalar, the RFC 8032 / 7748 private key, or the expanded private key
  std::size_t seed_size;        ///< bytes; 0 without a seed
  std::size_t output_size;      ///< bytes of a signature, a shared secret, or (ML-KEM) a ciphertext
};

const KeyAlgorithmFacts& facts_of(KeyAlgorithm algorithm) noexcept;

/// Whether the crypto library has the algorithm at all (the post-quantum ones came with OpenSSL 3.5).
bool available(KeyAlgorithm algorithm);

/// The algorithm of a family whose identifier (DER, as in KeyAlgorithmFacts::oid) this is.
std::optional<KeyAlgorithm> algorithm_by_oid(KeyFamily family, ByteView oid) noexcept;

/// Why CKA_EC_PARAMS could not be understood.
enum class CurveProblem : std::uint8_t { malformed, unknown };

/// The curve that CKA_EC_PARAMS names: as identifier, as curveName, or as explicit parameters that equal a named curve.
/// `problem` tells why there is none.
std::optional<KeyAlgorithm> curve_of_parameters(KeyFamily family, ByteView parameters, CurveProblem& problem);

}  // namespace cardea::crypto
