// Message authentication contexts with a key loaded. For operations see crypto/symmetric_key.h, which keeps them.
#pragma once

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"

namespace cardea::crypto {

/// The caller owns what is answered. mechanism_invalid when the library has no such hash.
Result<EVP_MAC_CTX*> new_hmac_context(Hash hash, ByteView key);

/// key_size_range unless the key is 16, 24 or 32 bytes.
Result<EVP_MAC_CTX*> new_aes_cmac_context(ByteView key);

/// HMAC of `data` in one call, hash_size bytes.
Result<SecretBytes> hmac(Hash hash, ByteView key, ByteView data);

}  // namespace cardea::crypto
