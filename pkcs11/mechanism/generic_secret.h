// What mechanisms on secret keys have in common.
#pragma once

#include <initializer_list>

#include "mechanism/mechanism.h"

namespace cardea {

/// The secret key behind `ref`; key_type_inconsistent unless it is a secret key of one of these types.
Result<const SecretKey*> secret_key(const KeyRef& ref, std::initializer_list<CK_KEY_TYPE> types);

/// Whether the value of this key must not become known: it is sensitive, or it is not extractable.
bool is_protected(const KeyRef& ref) noexcept;

/// Most bytes of a generic secret that a mechanism makes or derives. HKDF may make 255 blocks (RFC 5869, 2.3), which
/// with SHA-512 are 16,320 bytes.
inline constexpr std::size_t longest_secret = 16384;

/// Bytes that a derivation must answer: what is asked for, else what the key type fixes, else, for keys of any length,
/// `natural`. template_incomplete when that leaves it open (AES, or natural == 0), key_size_range for 0 or more than
/// longest_secret (PKCS#11 3.2, "Concatenation of a base key and another key" states the rule for all derivations).
Result<std::size_t> derived_size(const DeriveRequest& request, std::size_t natural);

/// Key generation by random bytes (GENKEY): CKM_AES_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN, CKM_SHA256_KEY_GEN …
class RandomKeyGeneration final : public Mechanism {
 public:
  /// Sizes are bytes. With `step` the size must be a multiple of it; `fixed` (not 0) makes CKA_VALUE_LEN optional.
  struct Sizes {
    std::size_t least;
    std::size_t most;
    std::size_t step = 1;
    std::size_t fixed = 0;
  };
  RandomKeyGeneration(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type, Sizes sizes)
      : Mechanism(type, {sizes.least, sizes.most, CKF_GENERATE}), key_type_(key_type), sizes_(sizes) {}

  CK_KEY_TYPE generated_key_type() const noexcept override { return key_type_; }
  Result<SecretBytes> generate_key(Parameter parameter, const AttributeSet& attributes) const override;

 private:
  CK_KEY_TYPE key_type_;
  Sizes sizes_;
};

}  // namespace cardea
