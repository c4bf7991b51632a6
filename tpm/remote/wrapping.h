// A private key made elsewhere, wrapped so that one TPM alone can take it in (TPM2_Import; TPM 2.0 Library, part 1,
// 23.3): encrypted under a key inside, and around that for the storage key that will be its parent.
#pragma once

#include "base/secret.h"
#include "crypto/asymmetric_key.h"
#include "tpm_remote/structures.h"

namespace cardea::tpm {

struct WrappedKey {
  Bytes public_area;      ///< TPM2B_PUBLIC
  Bytes duplicate;        ///< content of TPM2B_PRIVATE
  Bytes encrypted_seed;   ///< content of TPM2B_ENCRYPTED_SECRET
  SecretBytes inner_key;  ///< AES-128 of the inner wrapper; may travel another way than the rest
};

/// The point, X9.62 uncompressed, of the storage key that a TPM2B_PUBLIC describes. data_invalid when it is none that
/// wrap_key can wrap for, or one that might leave its TPM.
Result<Bytes> storage_key_point(ByteView public_area);

/// Wraps for a P-256 storage key with SHA-256 and AES-128-CFB. `auth` is the authorisation value that the key begins
/// with. attribute_value_invalid for an RSA exponent other than 65537; curve_not_supported.
Result<WrappedKey> wrap_key(ByteView storage_key_point, const crypto::AsymmetricKey& key, ByteView auth);

}  // namespace cardea::tpm
