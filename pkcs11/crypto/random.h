// Random bytes for keys, nonces and salts.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::crypto {

/// Fills `out` from the library's generator (a DRBG of SP 800-90A, seeded by the operating system, one for each thread
/// and reseeded after fork). device_error when there is no entropy.
Status random_bytes(MutableBytes out);

/// Stirs a caller's bytes into this thread's generator (C_SeedRandom). They add to its own entropy and never replace
/// it.
Status stir_random(ByteView seed);

}  // namespace cardea::crypto
