// The derivations and encryptions that TPM and caller do alike (TPM 2.0 Library, part 1, 11.4.10, B.10, C.6). Done with
// our own crypto library and not by tpm2-tss, which works in the host's OpenSSL: in a program that has made an engine
// its default for elliptic curves (curl does) it cannot even make an ephemeral key.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/asymmetric_key.h"
#include "crypto/cipher.h"

namespace cardea::tpm {

/// Secret bytes put together piece by piece; never more than said in advance.
class SecretWriter {
 public:
  explicit SecretWriter(std::size_t most) : bytes_(most) {}
  SecretWriter& put(ByteView part);
  /// Big-endian.
  SecretWriter& put_number(std::size_t number, std::size_t size);
  /// With its length in front, as the TPM's sized buffers are written.
  SecretWriter& put_sized(ByteView part) { return put_number(part.size(), 2).put(part); }
  SecretBytes take();

 private:
  SecretBytes bytes_;
  std::size_t used_ = 0;
};

/// KDFa with SHA-256, at most 32 bytes (SP 800-108, counter mode). The two contexts follow each other.
Result<SecretBytes> kdf_a(ByteView key, std::string_view label, ByteView context_u, ByteView context_v,
                          std::size_t size);

/// AES-128-CFB in place.
Status cfb(crypto::Direction direction, ByteView key, ByteView iv, MutableBytes data);

/// A secret that only the owner of a key can find again, and what it needs for that (TPM2B_ENCRYPTED_SECRET's
/// content).
struct SharedSecret {
  SecretBytes secret;  ///< 32 bytes
  Bytes encrypted;
};
/// `use` says what for ("SECRET", "DUPLICATE", "IDENTITY"). The key, P-256 or RSA, has SHA-256 as its name algorithm;
/// curve_not_supported for others.
Result<SharedSecret> share_secret(const crypto::AsymmetricKey& key, std::string_view use);
/// The same for a P-256 key's point, X9.62 uncompressed.
Result<SharedSecret> share_secret(ByteView point, std::string_view use);

}  // namespace cardea::tpm
