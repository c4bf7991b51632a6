// Digest mechanisms and which hash a mechanism names.
#pragma once

#include "crypto/hash.h"
#include "mechanism/mechanism.h"

namespace cardea {

/// One hash function and the mechanisms and the key type that PKCS#11 builds on it.
struct HashMechanisms {
  Hash hash;
  CK_MECHANISM_TYPE digest;
  CK_MECHANISM_TYPE hmac;
  CK_MECHANISM_TYPE hmac_general;
  CK_MECHANISM_TYPE key_gen;
  CK_MECHANISM_TYPE key_derivation;
  CK_KEY_TYPE key_type;
};

/// All of them, whether the crypto library has the hash or not.
std::span<const HashMechanisms> hash_mechanisms() noexcept;

/// The hash that a digest mechanism (CKM_SHA256) names; Hash::none for others.
Hash hash_of_digest(CK_MECHANISM_TYPE digest) noexcept;

/// The hash that an HMAC mechanism (CKM_SHA256_HMAC) names; Hash::none for others.
Hash hash_of_hmac(CK_MECHANISM_TYPE hmac) noexcept;

}  // namespace cardea
