// Signature schemes as X.509 writes them, and key identifiers.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "domain/key_token.h"

namespace cardea::ca {

/// AlgorithmIdentifier of a scheme: RFC 4055 for RSA, RFC 5758 for ECDSA, RFC 9881 for ML-DSA, RFC 9909 for
/// SLH-DSA.
Bytes signature_algorithm(manager::SignatureScheme scheme);

/// The key identifier of a SubjectPublicKeyInfo: the leftmost 160 bits of SHA-256 over the key's bits (RFC 7093, 2,
/// method 1).
Result<Bytes> key_identifier(ByteView key_info);

/// SignedData of X.509: to-be-signed, algorithm and signature in one SEQUENCE, signed by the token's key.
Result<Bytes> signed_structure(manager::KeyToken& keys, const std::string& key, manager::SignatureScheme scheme,
                               ByteView to_be_signed);

}  // namespace cardea::ca
