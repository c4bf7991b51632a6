// The BLAKE2b digests of 160, 256 and 384 bits (RFC 7693), which OpenSSL lacks and libgcrypt has.
#pragma once

namespace cardea::crypto {

/// Makes them known to our OpenSSL context as "BLAKE2B-160", "BLAKE2B-256" and "BLAKE2B-384", so that everything that
/// takes a digest by its name (EVP_MD_fetch, HMAC, the KDFs) takes these too. Once in a process; processes that have no
/// use for them need not call it.
void provide_short_blake2b();

}  // namespace cardea::crypto
