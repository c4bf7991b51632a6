// PKCS#12 files (RFC 7292): a key and its certificate under a password, as mail clients and browsers import them.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea::crypto {

/// DER of a file with the key (PrivateKeyInfo), its certificate and those above it (DER), all enciphered with AES-256
/// and protected by an HMAC with SHA-256. `name` is what clients show. wrapped_key_invalid or data_invalid for a key or
/// certificate that cannot be read; key_type_inconsistent when they do not belong together.
Result<SecretBytes> make_pkcs12(ByteView private_key_info, ByteView certificate, const std::vector<Bytes>& chain,
                                const SecretBytes& password, const std::string& name);

}  // namespace cardea::crypto
