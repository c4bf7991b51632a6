// What every kind of device needs to know of keys: their words, digests, and how a signature goes into X.509.
#pragma once

#include "agent/device.h"

namespace cardea::agent {

/// How a key of this kind signs.
struct SignaturePlan {
  crypto::KeyAlgorithm algorithm{};
  Hash hash = Hash::none;  ///< none where the algorithm has its own
  std::string mechanism;   ///< KeySignature::mechanism
};

/// `hash`: Hash::none for one as strong as the key (FIPS 186-5, 6.1.1). key_type_inconsistent for keys that do not
/// sign.
Result<SignaturePlan> plan_signature(ByteView public_key, Hash hash);

/// r and s side by side → ECDSA-Sig-Value (RFC 3279, 2.2.3).
Bytes ecdsa_value(ByteView raw);

/// SHA-256 of a SubjectPublicKeyInfo, by which the daemon names keys.
Result<Bytes> key_digest(ByteView public_key);

/// The public half of a PKCS#8 key. wrapped_key_invalid.
Result<Bytes> public_half(const SecretBytes& pkcs8);

/// The SubjectPublicKeyInfo in a certificate. data_invalid.
Result<Bytes> certified_key(ByteView certificate);

/// Refuses to lose a key that has a certificate, unless its digest is `replace`: exists, with a sentence.
Status allow_replacing(const std::string& container, ByteView public_key, ByteView certificate, ByteView replace);

/// Decimal digits nobody knows, for PINs that are to be forgotten. Every digit is as likely as the others.
Result<Pin> random_digits(std::size_t count);

}  // namespace cardea::agent
