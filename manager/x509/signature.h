// Signatures as X.509 structures carry them: checked by the AlgorithmIdentifier that stands beside them.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/asymmetric_key.h"

namespace cardea::x509 {

/// Checks a signature. `algorithm` is the whole AlgorithmIdentifier. Known are RSA PKCS#1 and PSS (RFC 4055) and ECDSA
/// (RFC 5758) with SHA-2, EdDSA (RFC 8410) and ML-DSA (RFC 9881). signature_invalid when it does not match;
/// mechanism_invalid for other algorithms, SHA-1 among them, and for those that are not the key's.
Status verify_signature(ByteView algorithm, const crypto::AsymmetricKey& key, ByteView message, ByteView signature);

}  // namespace cardea::x509
