// What RSA keys in a TPM do: any exponentiation, or only paddings of the TPM's own.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "crypto/hash.h"

namespace cardea::tpm {

/// Found out once for a TPM (TpmConnection::rsa_ability) and kept as a number in the state of each card.
struct RsaAbility {
  /// What was tried and worked. The numbers stand in the state.
  enum Bit : std::uint32_t {
    raw = 1u << 0,               ///< without padding: everything else is then done around it
    pkcs1_sign = 1u << 1,        ///< RSASSA
    pss_with_digest = 1u << 2,   ///< RSAPSS with a salt as long as the digest
    pss_with_longest = 1u << 3,  ///< RSAPSS with the longest salt that fits
    pkcs1_decrypt = 1u << 4,     ///< RSAES
    oaep_decrypt = 1u << 5,      ///< OAEP, one hash for label and mask
    first_hash = 1u << 8         ///< from here on own_hashes, in their order
  };
  std::uint32_t bits = raw;

  bool has(std::uint32_t wanted) const noexcept { return (bits & wanted) != 0; }
  bool operator==(const RsaAbility&) const = default;
};

/// Hashes that a TPM may have, with its numbers (TPM 2.0 Library, part 2, 6.3).
inline constexpr std::array<std::pair<Hash, std::uint16_t>, 7> own_hashes{{{Hash::sha1, 0x0004},
                                                                           {Hash::sha256, 0x000b},
                                                                           {Hash::sha384, 0x000c},
                                                                           {Hash::sha512, 0x000d},
                                                                           {Hash::sha3_256, 0x0027},
                                                                           {Hash::sha3_384, 0x0028},
                                                                           {Hash::sha3_512, 0x0029}}};

/// The bit of a hash; 0 for one that no TPM has.
constexpr std::uint32_t bit_of(Hash hash) noexcept {
  for (std::size_t i = 0; i < own_hashes.size(); ++i) {
    if (own_hashes[i].first == hash) return std::uint32_t{RsaAbility::first_hash} << i;
  }
  return 0;
}

/// The TPM's number of a hash; 0 for one that no TPM has.
constexpr std::uint16_t number_of(Hash hash) noexcept {
  for (const auto& [each, number] : own_hashes) {
    if (each == hash) return number;
  }
  return 0;
}

}  // namespace cardea::tpm
