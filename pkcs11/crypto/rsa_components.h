// The numbers of an RSA key, and how missing ones follow from the others.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea::crypto {

/// Big-endian without leading zeros; empty for those that are not there (RFC 8017, 3).
struct RsaNumbers {
  Bytes modulus;
  Bytes public_exponent;
  SecretBytes private_exponent;
  SecretBytes prime_1;
  SecretBytes prime_2;
  SecretBytes exponent_1;   ///< d mod (p - 1)
  SecretBytes exponent_2;   ///< d mod (q - 1)
  SecretBytes coefficient;  ///< 1/q mod p

  bool is_private() const noexcept { return !private_exponent.empty(); }
};

inline constexpr std::size_t rsa_min_bits = 1024;
inline constexpr std::size_t rsa_max_bits = 8192;

/// The length of a big-endian number in bits.
std::size_t bit_length(ByteView number) noexcept;

/// Checks modulus and public exponent: odd, within our sizes, and such that OpenSSL will use them.
/// attribute_value_invalid, key_size_range.
Status check_rsa_public(const RsaNumbers& numbers);

/// Completes a private key that has at least modulus and private exponent, or the primes and an exponent, and checks
/// that all that was given belongs together. template_incomplete when too little is given, attribute_value_invalid when
/// it contradicts itself.
Status complete_rsa(RsaNumbers& numbers);

}  // namespace cardea::crypto
