// What ML-DSA and SLH-DSA share: PKCS#11 gives both the same parameters and the same forms (3.2, 6.67 and 6.68).
#pragma once

#include <span>

#include "mechanism/mechanism.h"

namespace cardea {

/// A mechanism that hashes the message itself before the signature.
struct PrehashMechanism {
  CK_MECHANISM_TYPE type;
  Hash hash;
};

/// One of the two algorithms. Sizes are those of the smallest and largest public key, in bytes.
struct PqcSignatureFamily {
  CK_KEY_TYPE key_type;
  Primitive primitive;
  CK_ULONG min_size;
  CK_ULONG max_size;
  CK_MECHANISM_TYPE generation;
  CK_MECHANISM_TYPE pure;
  CK_MECHANISM_TYPE prehashed;  ///< the data is a digest; its hash stands in the parameter
  std::span<const PrehashMechanism> hashing;
};

/// Registers all mechanisms of the family. `family` must live as long as the process.
void register_pqc_signatures(MechanismRegistry& registry, const PqcSignatureFamily& family);

}  // namespace cardea
