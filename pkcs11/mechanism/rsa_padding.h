// RSA paddings in software (RFC 8017), for tokens whose keys offer only the modular exponentiation.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cardea {

/// A DigestInfo (RFC 8017, 9.2 notes 1). `out` is digest_info_limit long; answers the part that was written.
/// mechanism_param_invalid for a hash without an identifier, data_length when the digest has a wrong size.
inline constexpr std::size_t digest_info_limit = 19 + 64;
Result<ByteView> digest_info(Hash hash, ByteView digest, MutableBytes out);

/// EMSA-PKCS1-v1_5 around ready data (9.2). data_length when the data does not fit.
Status pad_pkcs1_signature(ByteView data, MutableBytes block);

/// EMSA-PSS-ENCODE (9.1.1) for a modulus of that many bits; `block` is as long as the modulus.
/// key_size_range when digest and salt do not fit.
Status pad_pss(Hash hash, Hash mgf_hash, std::size_t salt_length, std::size_t modulus_bits, ByteView digest,
               MutableBytes block);

/// EME-OAEP decoding (7.1.2, step 3). `block` is the decrypted block, which is overwritten; `out` as long as it.
/// encrypted_data_invalid for every kind of wrong padding, in constant time (Manger's attack).
Result<std::size_t> unpad_oaep(Hash hash, Hash mgf_hash, ByteView label, MutableBytes block, MutableBytes out);

}  // namespace cardea
