// The block that key check values are made of.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::crypto {

/// One block of zeros encrypted with an AES key of 16, 24 or 32 bytes (the standard takes a CKA_CHECK_VALUE from its
/// beginning). key_size_range for other lengths.
Result<Bytes> encrypted_zero_block(ByteView aes_key);

}  // namespace cardea::crypto
