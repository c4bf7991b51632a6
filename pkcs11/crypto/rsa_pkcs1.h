// PKCS#1 v1.5 un-padding that tells nothing about the padding: constant time, with implicit rejection
// (draft-irtf-cfrg-rsa-guidance, 7). A wrong padding gives a message that only key and ciphertext determine, so that
// asking again with the same ciphertext teaches nothing either.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/openssl_ptr.h"

namespace cardea::crypto {

/// Shortest padding: 0, 2, eight random bytes, 0 (RFC 8017, 7.2.1).
inline constexpr std::size_t pkcs1_overhead = 11;

/// The replacement messages of one key. Immutable once made.
class ImplicitRejection {
 public:
  ImplicitRejection() = default;
  /// `secret` is known to nobody who may not use the key: SHA-256 of the private exponent where we have it.
  static Result<ImplicitRejection> make(ByteView secret);

  /// Takes the message out of the decrypted block `padded` (as long as the ciphertext, at least pkcs1_overhead), which
  /// is overwritten. Answers the bytes written to `out`, which is as long as the block less pkcs1_overhead.
  /// `key_identity` tells keys apart that share the secret: equal replacements would betray that both paddings are
  /// wrong.
  Result<std::size_t> unpad(ByteView ciphertext, MutableBytes padded, MutableBytes out,
                            ByteView key_identity = {}) const;

  bool ready() const noexcept { return keyed_ != nullptr; }

 private:
  std::unique_ptr<EVP_MAC_CTX, Releaser<EVP_MAC_CTX_free>> keyed_;
};

}  // namespace cardea::crypto
