// RSA private-key operations on keys of any token: the token's own primitive where it has one, else padding in software
// around raw RSA.
#pragma once

#include "token/key.h"

namespace cardea {

/// Parameters of PSS (RFC 8017, 9.1).
struct PssParameters {
  Hash hash = Hash::none;
  Hash mgf_hash = Hash::none;
  std::size_t salt_length = 0;  ///< bytes
};

/// Parameters of OAEP (RFC 8017, 7.1).
struct OaepParameters {
  Hash hash = Hash::none;
  Hash mgf_hash = Hash::none;
  Bytes label;
};

/// Bytes of the modulus.
std::size_t modulus_size(const Key& key) noexcept;

/// Whether a key with these primitives can do the operation, natively or by raw RSA.
bool can_sign_pkcs1(Primitives primitives) noexcept;
bool can_sign_pss(Primitives primitives) noexcept;
bool can_decrypt_pkcs1(Primitives primitives) noexcept;
bool can_decrypt_oaep(Primitives primitives) noexcept;

/// All answer the bytes written to `out`, which is modulus_size() long.
/// Raw RSA; the input is padded with leading zeros. data_length, data_invalid.
Result<std::size_t> rsa_raw(const PrivateKey& key, ByteView input, MutableBytes out);
/// PKCS#1 v1.5 signature over ready data, usually a DigestInfo. data_length.
Result<std::size_t> rsa_sign_pkcs1(const PrivateKey& key, ByteView data, MutableBytes out);
/// data_length, key_size_range.
Result<std::size_t> rsa_sign_pss(const PrivateKey& key, const PssParameters& parameters, ByteView digest,
                                 MutableBytes out);
/// Never tells whether the padding was right (crypto/rsa_pkcs1.h); the modulus only tells keys apart.
/// encrypted_data_length.
Result<std::size_t> rsa_decrypt_pkcs1(const PrivateKey& key, ByteView modulus, ByteView ciphertext, MutableBytes out);
/// encrypted_data_invalid, encrypted_data_length.
Result<std::size_t> rsa_decrypt_oaep(const PrivateKey& key, const OaepParameters& parameters, ByteView ciphertext,
                                     MutableBytes out);

}  // namespace cardea
