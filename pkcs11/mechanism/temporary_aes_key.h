// The temporary AES key under which CKM_RSA_AES_KEY_WRAP and the CKM_ECDH_*_AES_KEY_WRAP mechanisms put their target
// (PKCS#11 3.2, 6.1.19 and 6.3.20).
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "cryptoki/cryptoki.h"

namespace cardea {

/// Bytes of a temporary key with that many bits; mechanism_param_invalid unless 128, 192 or 256.
Result<std::size_t> temporary_key_size(CK_ULONG bits);

/// Key material under the temporary key, as CKM_AES_KEY_WRAP_KWP does it (RFC 5649). data_length for none.
Result<Bytes> wrap_under(SecretBytes key, ByteView material);

/// The inverse. encrypted_data_length; encrypted_data_invalid for anything but what that key has wrapped.
Result<SecretBytes> unwrap_under(SecretBytes key, ByteView wrapped);

}  // namespace cardea
