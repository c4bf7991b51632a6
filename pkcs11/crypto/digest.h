// Streaming message digests.
#pragma once

#include <openssl/types.h>

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cardea::crypto {

/// A digest being computed. One thread at a time.
class Digest {
 public:
  /// mechanism_invalid when the library has no such hash.
  static Result<Digest> make(Hash hash);

  Hash hash() const noexcept { return hash_; }
  /// Bytes that finish() writes (hash_size of the hash).
  std::size_t size() const noexcept { return hash_size(hash_); }

  Status update(ByteView data);
  /// Writes the digest to the first size() bytes of `out`, which must be at least that long (buffer_too_small).
  /// After that only restart() is of use.
  Status finish(MutableBytes out);
  /// Begins anew with the same hash.
  Status restart();
  /// A copy in the same state.
  Result<Digest> clone() const;

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept;
  };
  Digest(Hash hash, std::unique_ptr<EVP_MD_CTX, Free> context) : hash_(hash), context_(std::move(context)) {}

  Hash hash_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

/// The digest of `data` in one call.
Result<Bytes> digest(Hash hash, ByteView data);

}  // namespace cardea::crypto
