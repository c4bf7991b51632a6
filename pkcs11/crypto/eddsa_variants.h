// Ed25519ctx, Ed25519ph, Ed448 with a context and Ed448ph (RFC 8032, 5.1 and 5.2) where OpenSSL has only the pure
// forms, which is before its version 3.2. They come from libgcrypt, which is loaded when the first of them is asked for
// and costs nothing before.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/key_algorithm.h"

namespace cardea::crypto::eddsa_variants {

/// Longest message in bytes. libgcrypt keeps lengths in 16 bits, that of the expression around the message too, and
/// ends the process over some longer ones; this leaves a margin.
inline constexpr std::size_t longest_message = 64512;

/// Which variant. Ed25519 without prehash needs a context that is not empty; the caller sees to it.
struct Variant {
  KeyAlgorithm curve;  ///< ed25519 or ed448
  bool prehash = false;
  ByteView context = {};  ///< at most 255 bytes
};

/// Whether libgcrypt 1.10 or later is on this machine.
bool available();

/// Signs the whole message, also with `prehash`. Keys are in the forms of RFC 8032, 5.1.5 and 5.2.5. Answers the bytes
/// written to `out`. mechanism_param_invalid without libgcrypt, data_length beyond longest_message.
Result<std::size_t> sign(const Variant& variant, const SecretBytes& private_key, ByteView public_key, ByteView message,
                         MutableBytes out);

/// signature_invalid, also for a scalar that is not below the group's order (RFC 8032, 5.1.7 and 5.2.7); errors of
/// sign. `signature` is as long as the curve's signatures are.
Status verify(const Variant& variant, ByteView public_key, ByteView message, ByteView signature);

}  // namespace cardea::crypto::eddsa_variants
