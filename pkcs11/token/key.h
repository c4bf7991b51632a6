// Keys ready for use, made from objects. Immutable and shared: using one takes no lock.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "cryptoki/cryptoki.h"

namespace cardea {

namespace crypto {
class AsymmetricKey;  // crypto/asymmetric_key.h: a public key or a key pair inside the crypto library
class SymmetricKey;   // crypto/symmetric_key.h: secret bytes with ready cipher and MAC contexts
}  // namespace crypto

/// What a private key can do by itself. A mechanism plans hash and padding around these, and takes the native one where
/// a token has it (docs/architecture.md, "Primitives").
enum class Primitive : std::uint32_t {
  rsa_raw = 1u << 0,            ///< modular exponentiation, input and output as long as the modulus
  rsa_pkcs1_sign = 1u << 1,     ///< PKCS#1 v1.5 block type 1 over the given bytes (usually a DigestInfo)
  rsa_pss_sign = 1u << 2,       ///< PSS over a digest; hash, mgf_hash, salt_length
  rsa_pkcs1_decrypt = 1u << 3,  ///< PKCS#1 v1.5 with implicit rejection: never tells whether the padding was right
  rsa_oaep_decrypt = 1u << 4,   ///< hash, mgf_hash, label
  ecdsa_sign = 1u << 5,         ///< over a digest; answers r || s, each as long as the order (not DER)
  ecdh = 1u << 6,               ///< input: the peer's public point or Montgomery u; answers the raw shared secret
  ecdh_cofactor = 1u << 7,      ///< the same with the cofactor multiplied in
  eddsa_sign = 1u << 8,         ///< over the whole message; context, prehash
  ml_dsa_sign =
      1u << 9,  ///< over the whole message (or, with hash set, its digest: HashML-DSA); context, deterministic
  slh_dsa_sign = 1u << 10,       ///< as ml_dsa_sign
  ml_kem_decapsulate = 1u << 11  ///< input: ciphertext; answers the 32-byte shared secret
};

/// A set of primitives.
using Primitives = std::uint32_t;
constexpr Primitives operator|(Primitive a, Primitive b) {
  return static_cast<Primitives>(a) | static_cast<Primitives>(b);
}
constexpr Primitives operator|(Primitives a, Primitive b) {
  return a | static_cast<Primitives>(b);
}

/// What a primitive is to do, beside its input. Views need to live only for the call.
struct PrimitiveRequest {
  Primitive primitive{};
  Hash hash = Hash::none;
  Hash mgf_hash = Hash::none;
  std::size_t salt_length = 0;  ///< bytes
  ByteView label = {};          ///< OAEP label
  ByteView context = {};        ///< EdDSA, ML-DSA, SLH-DSA context, at most 255 bytes
  bool prehash = false;         ///< EdDSA: Ed25519ph / Ed448ph (input is still the whole message)
  bool deterministic = false;   ///< ML-DSA, SLH-DSA: no fresh randomness
};

/// Any key that a mechanism may be given.
class Key {
 public:
  virtual ~Key() = default;
  /// Size in the unit mechanisms use for this type in CK_MECHANISM_INFO: bits for RSA and EC, bytes for secret keys.
  virtual std::size_t size() const noexcept = 0;
};
using KeyPtr = std::shared_ptr<const Key>;

/// A private key on any kind of token.
class PrivateKey : public Key {
 public:
  virtual Primitives primitives() const noexcept = 0;
  bool can(Primitive primitive) const noexcept { return (primitives() & static_cast<Primitives>(primitive)) != 0; }

  /// Most bytes that perform() can answer for this request.
  virtual std::size_t output_size(const PrimitiveRequest& request) const noexcept = 0;

  /// Runs the primitive and answers how many bytes were written to `out` (at least output_size() long).
  /// mechanism_invalid for a primitive outside primitives(); data_length, encrypted_data_length, public_key_invalid for
  /// bad input; device_error, device_removed, user_not_logged_in from the token. Callable from many threads at once.
  virtual Result<std::size_t> perform(const PrimitiveRequest& request, ByteView input, MutableBytes out) const = 0;
};

/// A private key whose arithmetic the crypto library does (keystore tokens, session objects).
class SoftPrivateKey final : public PrivateKey {
 public:
  explicit SoftPrivateKey(std::shared_ptr<const crypto::AsymmetricKey> key) : key_(std::move(key)) {}
  std::size_t size() const noexcept override;
  Primitives primitives() const noexcept override;
  std::size_t output_size(const PrimitiveRequest& request) const noexcept override;
  Result<std::size_t> perform(const PrimitiveRequest& request, ByteView input, MutableBytes out) const override;
  const crypto::AsymmetricKey& key() const noexcept { return *key_; }

 private:
  std::shared_ptr<const crypto::AsymmetricKey> key_;
};

/// A public key; verification, encryption and encapsulation always run in the crypto library.
class PublicKey final : public Key {
 public:
  explicit PublicKey(std::shared_ptr<const crypto::AsymmetricKey> key) : key_(std::move(key)) {}
  std::size_t size() const noexcept override;
  const crypto::AsymmetricKey& key() const noexcept { return *key_; }

 private:
  std::shared_ptr<const crypto::AsymmetricKey> key_;
};

/// A secret key in memory.
class SecretKey final : public Key {
 public:
  SecretKey(CK_KEY_TYPE type, SecretBytes value);
  ~SecretKey() override;
  std::size_t size() const noexcept override { return value().size(); }
  ByteView value() const noexcept;
  CK_KEY_TYPE type() const noexcept { return type_; }
  const crypto::SymmetricKey& key() const noexcept { return *key_; }

 private:
  CK_KEY_TYPE type_;
  std::shared_ptr<const crypto::SymmetricKey> key_;
};

}  // namespace cardea
