// A public key or key pair inside the crypto library. Immutable and shared between threads; no call takes a lock of
// ours.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/asymmetric_context.h"
#include "crypto/hash.h"
#include "crypto/key_algorithm.h"
#include "crypto/rsa_components.h"
#include "crypto/rsa_pkcs1.h"

namespace cardea::crypto {

class AsymmetricKey;
using AsymmetricKeyPtr = std::shared_ptr<const AsymmetricKey>;

/// Beside the message, what an EdDSA, ML-DSA or SLH-DSA signature depends on.
struct MessageScheme {
  ByteView context = {};       ///< at most 255 bytes
  bool prehash = false;        ///< Ed25519ph, Ed448ph
  bool with_context = false;   ///< EdDSA: Ed25519ctx rather than Ed25519 (RFC 8032, 5.1); Ed448 has a context anyway
  bool deterministic = false;  ///< ML-DSA, SLH-DSA: no fresh randomness
  Hash hash = Hash::none;      ///< HashML-DSA, HashSLH-DSA: the message is a digest of this hash (FIPS 204, 5.4)
};

/// What encapsulation answers (FIPS 203, 7.2).
struct Encapsulation {
  Bytes ciphertext;
  SecretBytes shared_secret;
};

class AsymmetricKey {
 public:
  /// Only for the functions below; takes the EVP_PKEY over.
  AsymmetricKey(KeyAlgorithm algorithm, PkeyPtr key, bool is_private);
  AsymmetricKey(const AsymmetricKey&) = delete;
  AsymmetricKey& operator=(const AsymmetricKey&) = delete;

  /// RSA from its numbers, which are not checked against each other here (complete_rsa does). A private key needs all
  /// eight. attribute_value_invalid when OpenSSL refuses them.
  static Result<AsymmetricKeyPtr> rsa(const RsaNumbers& numbers);
  /// Any other algorithm from its public value: an encoded point (compressed or not), or the standard's raw bytes.
  /// public_key_invalid unless the point lies on the curve and the size is right.
  static Result<AsymmetricKeyPtr> from_public(KeyAlgorithm algorithm, ByteView value);
  /// Any other algorithm from its private value (scalar big-endian; raw bytes), its seed, or both, which must then
  /// agree. attribute_value_invalid.
  static Result<AsymmetricKeyPtr> from_private(KeyAlgorithm algorithm, ByteView value, ByteView seed = {});
  static Result<AsymmetricKeyPtr> generate(KeyAlgorithm algorithm);
  /// `exponent` is big-endian and odd.
  static Result<AsymmetricKeyPtr> generate_rsa(std::size_t bits, ByteView exponent);

  KeyAlgorithm algorithm() const noexcept { return algorithm_; }
  const KeyAlgorithmFacts& facts() const noexcept { return facts_of(algorithm_); }
  bool is_private() const noexcept { return private_; }
  /// Bits of the modulus or curve; bytes of the public key for post-quantum algorithms.
  std::size_t size() const noexcept { return size_; }
  /// Bytes of a signature, ciphertext or shared secret of this key; for RSA of the modulus.
  std::size_t output_size() const noexcept { return output_size_; }

  /// The key's own encodings, inverse to rsa, from_public and from_private.
  Result<RsaNumbers> rsa_numbers() const;
  /// Modulus and public exponent only, also of a private key.
  Result<RsaNumbers> rsa_public_numbers() const;
  Result<Bytes> public_value() const;
  Result<SecretBytes> private_value() const;
  /// Empty when the key has none, or was made without it.
  Result<SecretBytes> seed() const;

  /// Whether a private scalar lies between 1 and the order of its curve, and whether the halves of an SLH-DSA key
  /// belong together (as costly as a new key); true for other algorithms, whose private values were checked when the
  /// key was made. attribute_value_invalid.
  Status check_private() const;

  /// RSA. Inputs of raw operations are as long as the modulus (data_length) and smaller (data_invalid). All answer the
  /// bytes written; `out` is output_size() long.
  Result<std::size_t> rsa_private_raw(ByteView input, MutableBytes out) const;
  Result<std::size_t> rsa_public_raw(ByteView input, MutableBytes out) const;
  Result<std::size_t> sign_pkcs1(ByteView digest_info, MutableBytes out) const;
  Result<std::size_t> sign_pss(Hash hash, Hash mgf_hash, std::size_t salt_length, ByteView digest,
                               MutableBytes out) const;
  /// Never tells whether the padding was right: a wrong one gives a message that depends on key and ciphertext only.
  Result<std::size_t> decrypt_pkcs1(ByteView ciphertext, MutableBytes out) const;
  /// encrypted_data_invalid, without saying which check failed.
  Result<std::size_t> decrypt_oaep(Hash hash, Hash mgf_hash, ByteView label, ByteView ciphertext,
                                   MutableBytes out) const;
  Status verify_pkcs1(ByteView digest_info, ByteView signature) const;
  Status verify_pss(Hash hash, Hash mgf_hash, std::size_t salt_length, ByteView digest, ByteView signature) const;
  Result<std::size_t> recover_pkcs1(ByteView signature, MutableBytes out) const;
  Result<std::size_t> encrypt_pkcs1(ByteView message, MutableBytes out) const;
  Result<std::size_t> encrypt_oaep(Hash hash, Hash mgf_hash, ByteView label, ByteView message, MutableBytes out) const;

  /// ECDSA over a digest, whose bits beyond the order's length are dropped (FIPS 186-5, 6.4.1). Signatures are r || s;
  /// both of one length, which may be shorter when verifying (PKCS#11 3.2, 6.3.1).
  Result<std::size_t> ecdsa_sign(ByteView digest, MutableBytes out) const;
  Status ecdsa_verify(ByteView digest, ByteView signature) const;
  /// The raw shared secret with a peer's point (X9.62 encoding, or Montgomery u). All our curves' points have prime
  /// order, or X25519 and X448 clear the cofactor themselves, so this is also cofactor ECDH.
  /// public_key_invalid when the point is not on the curve or gives zero.
  Result<std::size_t> derive(ByteView peer, MutableBytes out) const;

  /// EdDSA, ML-DSA, SLH-DSA. mechanism_param_invalid when this library has no such variant; data_length for a message
  /// that is too long for it (crypto/eddsa_variants.h).
  Result<std::size_t> sign_message(const MessageScheme& scheme, ByteView message, MutableBytes out) const;
  Status verify_message(const MessageScheme& scheme, ByteView message, ByteView signature) const;

  /// ML-KEM (FIPS 203). encrypted_data_length.
  Result<Encapsulation> encapsulate() const;
  Result<std::size_t> decapsulate(ByteView ciphertext, MutableBytes out) const;

 private:
  template <class Use>
  auto with_context(const ContextSetup& setup, Use&& use) const -> decltype(use(std::declval<KeyContext&>()));
  Result<SecretBytes> octets(const char* parameter) const;
  const ImplicitRejection& implicit_rejection() const;
  Status set_peer(KeyContext& context, ByteView peer) const;

  KeyAlgorithm algorithm_;
  bool private_;
  std::size_t size_;
  std::size_t output_size_;
  PkeyPtr key_;
  mutable KeyContextPool contexts_;
  mutable std::once_flag rejection_once_;
  mutable ImplicitRejection rejection_;
};

/// Whether EdDSA with a context or prehash can be had here: from OpenSSL (3.2 and later), or else from libgcrypt
/// (crypto/eddsa_variants.h).
bool has_eddsa_variants();

/// Runs `use` with a ready context that goes back to the pool afterwards.
template <class Use>
auto AsymmetricKey::with_context(const ContextSetup& setup, Use&& use) const
    -> decltype(use(std::declval<KeyContext&>())) {
  auto context = contexts_.take(key_.get(), setup);
  if (!context) return std::move(context).error();
  auto result = use(**context);
  contexts_.put(std::move(*context));
  return result;
}

}  // namespace cardea::crypto
