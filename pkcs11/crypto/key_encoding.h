// Asymmetric keys in their standard encodings: SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) and PrivateKeyInfo (RFC 5208,
// 5958). Written by hand rather than by OpenSSL's encoders, which take longer than making the key and keep no secret in
// locked memory.
#pragma once

#include <optional>

#include "crypto/asymmetric_key.h"

namespace cardea::crypto {

/// DER of the public half; internal when OpenSSL cannot export it.
Result<Bytes> subject_public_key_info(const AsymmetricKey& key);

/// The inverse. public_key_invalid, curve_not_supported.
Result<AsymmetricKeyPtr> from_subject_public_key_info(ByteView encoded);

/// DER of the private key: RFC 8017 A.1.2, RFC 5915, RFC 8410, RFC 9881, RFC 9909, RFC 9935 inside RFC 5208.
Result<SecretBytes> private_key_info(const AsymmetricKey& key);

/// The inverse, with all checks of the parts against each other. wrapped_key_invalid, curve_not_supported.
Result<AsymmetricKeyPtr> from_private_key_info(ByteView encoded);

/// The encoded point in what a caller passes as one: raw, or inside a DER OCTET STRING. Empty optional when neither has
/// a size that fits the algorithm.
std::optional<ByteView> point_octets(KeyAlgorithm algorithm, ByteView given) noexcept;

}  // namespace cardea::crypto
