// A key's signature over a nonce, checked: the proof that a token holds the key of its certificate.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cardea::manager {

/// Checks a signature by the key of a SubjectPublicKeyInfo. `mechanism` is rsa-pkcs1-sha256, rsa-pss-sha256,
/// ecdsa-sha256 (the same with 384 and 512) or ed25519; an ECDSA signature is DER (RFC 3279, 2.2.3). signature_invalid;
/// arguments_bad for an unknown mechanism; public_key_invalid.
Status check_key_proof(ByteView spki, std::string_view mechanism, ByteView message, ByteView signature);

/// DigestInfo of a SHA-2 digest, DER (RFC 8017, A.2.4).
Bytes digest_info_of(Hash hash, ByteView digest);

/// The SubjectPublicKeyInfo inside a certificate request (RFC 2986, 4.1); data_invalid.
Result<Bytes> key_of_request(ByteView csr);

/// The algorithm of a SubjectPublicKeyInfo as profiles write it: "rsa:2048", "ec:P-256"; the algorithm's own name for
/// others. public_key_invalid.
Result<std::string> key_algorithm_word(ByteView spki);

}  // namespace cardea::manager
