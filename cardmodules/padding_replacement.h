// What is answered instead of "wrong padding" for keys whose card takes PKCS#1 padding off itself.
#pragma once

#include "crypto/rsa_pkcs1.h"

namespace cardea::card {

/// A card tells whether the padding of a ciphertext was right, which lets an attacker decrypt by asking often
/// (Bleichenbacher). We pass on a message that key and ciphertext determine, as if it had been inside
/// (draft-irtf-cfrg-rsa-guidance, 7). The secret behind it lives as long as this object.
class PaddingReplacement {
 public:
  /// Makes the secret, if that has not happened yet. To be called before the card is asked.
  Status prepare();
  /// Writes the message to `out`, which is as long as the ciphertext less crypto::pkcs1_overhead or longer; answers its
  /// length. encrypted_data_length.
  Result<std::size_t> message(ByteView ciphertext, ByteView key_identity, MutableBytes out) const;

 private:
  crypto::ImplicitRejection rejection_;
};

}  // namespace cardea::card
