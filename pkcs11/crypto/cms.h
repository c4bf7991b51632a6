// Signed data as cards carry it (CMS, RFC 5652): the CHUID's signature and the security object.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::crypto {

/// What is inside SignedData, unchecked.
struct SignedData {
  Bytes content;                    ///< encapsulated content; empty when it is detached
  std::vector<Bytes> certificates;  ///< DER
};

/// Reads SignedData without checking its signature. data_invalid when it is none, or something follows it.
Result<SignedData> read_signed_data(ByteView encoded);

/// Checks the signature of every signer. Each signer's certificate must be `trusted` (DER) itself or have been issued
/// under it and be valid now; it is looked for inside the data and among `others`. `detached` is the signed content
/// where the data does not hold it; where it does, it must be the same or empty. A signer
/// under `trusted` must have the extended key usage `purpose` (dotted identifier): an authority certifies others as
/// well. signature_invalid in words; data_invalid for what is no SignedData or certificate.
Status verify_signed_data(ByteView encoded, ByteView detached, ByteView trusted, const char* purpose,
                          const std::vector<Bytes>& others = {});

}  // namespace cardea::crypto
