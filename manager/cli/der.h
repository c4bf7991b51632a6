// The little DER (X.690) that joins tokens and X.509: public keys from attributes, ECDSA signatures both ways.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "cli/p11.h"

namespace cardea::cli {

/// SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) of a key on a token, from CKA_PUBLIC_KEY_INFO or from the key's own
/// attributes; those of a private key may lack it. Absent when it cannot be told.
std::optional<Bytes> public_key_info(const Session& session, CK_OBJECT_HANDLE key);

/// r and s side by side → ECDSA-Sig-Value (RFC 3279, 2.2.3).
Bytes ecdsa_to_der(ByteView raw);

/// ECDSA-Sig-Value → r and s side by side, `half` bytes each. signature_invalid in words when it is malformed.
Result<Bytes> ecdsa_from_der(ByteView der, std::size_t half);

/// Bytes of r, and of s, for the curve of an EC key: 32, 48 or 66.
std::size_t ecdsa_half(const Session& session, CK_OBJECT_HANDLE key);

}  // namespace cardea::cli
