// Whether a certificate leads to one that is trusted (RFC 5280, 6).
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::crypto {

/// Verifies signatures, validity at present, and constraints from `certificate` up to any of `trusted` (all DER), which
/// need not be self-signed. signature_invalid in words when there is no way; data_invalid.
Status verify_certificate_chain(ByteView certificate, const std::vector<Bytes>& trusted);

/// Whether a certificate (DER) is for that purpose: the extended key usage (RFC 5280, 4.2.1.12) names it, in dotted
/// numbers. data_invalid.
Result<bool> has_extended_key_usage(ByteView certificate, const char* purpose);

/// The key itself in a SubjectPublicKeyInfo, without the algorithm's name: the content of its BIT STRING. data_invalid.
Result<ByteView> public_key_bits(ByteView key_info);

}  // namespace cardea::crypto
