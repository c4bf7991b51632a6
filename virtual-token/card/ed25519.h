// An Ed25519 private key (RFC 8032, 5.1). Arithmetic by libsodium, because mbedTLS has none.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea::vcard {

class Ed25519Key {
 public:
  static constexpr std::size_t seed_size = 32;

  /// From the 32 bytes that RFC 8032 calls the private key. Codes: key_size_range, device_error.
  static Result<Ed25519Key> from_seed(ByteView seed);

  ByteView seed() const;
  /// The 32 bytes of the public key.
  ByteView public_key() const;
  /// The signature of a whole message, 64 bytes. Codes: device_error.
  Result<Bytes> sign(ByteView message) const;

 private:
  explicit Ed25519Key(SecretBytes pair) : pair_(std::move(pair)) {}

  SecretBytes pair_;  ///< as libsodium keeps it: seed and public key
};

}  // namespace cardea::vcard
