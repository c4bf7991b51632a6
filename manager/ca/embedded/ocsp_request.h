// OCSP requests (RFC 6960, 4.1), read without trust.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::ca {

/// Most certificates that one request may ask for.
inline constexpr std::size_t most_ocsp_questions = 256;

/// One CertID. All views are into the request.
struct OcspQuestion {
  ByteView certificate_id;  ///< the whole CertID, to be repeated in the answer
  ByteView hash_algorithm;  ///< its OBJECT IDENTIFIER, the whole element
  ByteView name_hash;
  ByteView key_hash;
  ByteView serial;  ///< big-endian without leading zeros
};

struct OcspRequest {
  std::vector<OcspQuestion> questions;
  ByteView nonce;  ///< the extension's value (an OCTET STRING, RFC 9654, 2.1); empty: none
};

/// data_invalid for what is none, asks for nothing or for too much, or has a critical extension that is not known here.
/// A signature is accepted and not looked at: whoever may ask the responder may ask it without one.
Result<OcspRequest> read_ocsp_request(ByteView der);

}  // namespace cardea::ca
