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

/// What a file holds.
struct Pkcs12Contents {
  SecretBytes private_key_info;     ///< DER
  std::vector<Bytes> certificates;  ///< DER, in the order of the file
};
/// Reads a file that others made, with one private key. Its integrity must be protected by HMAC with SHA-1 or SHA-2,
/// its contents by AES or 3DES: what RC2 and RC4 protect is refused by name, as is work beyond four million rounds of
/// key derivation (RFC 7292, appendix B and C). data_invalid, mechanism_invalid, encrypted_data_invalid for a wrong
/// password; each with a sentence.
Result<Pkcs12Contents> read_pkcs12(ByteView file, const SecretBytes& password);

}  // namespace cardea::crypto
