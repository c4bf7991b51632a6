// The manager's own keys, as the rest of the manager sees them: they live in a token and only their use comes out.
// CA keys, keys of OCSP signers, the archive key, and the master key from which secrets of tokens are derived.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea::manager {

/// The kinds of signing keys a key token may make. From ml_dsa_44 on in the order of crypto::KeyAlgorithm.
enum class SigningKeyType : std::uint8_t {
  rsa_2048,
  rsa_3072,
  rsa_4096,
  p256,
  p384,
  p521,
  ml_dsa_44,
  ml_dsa_65,
  ml_dsa_87,
  slh_dsa_sha2_128s,
  slh_dsa_shake_128s,
  slh_dsa_sha2_128f,
  slh_dsa_shake_128f,
  slh_dsa_sha2_192s,
  slh_dsa_shake_192s,
  slh_dsa_sha2_192f,
  slh_dsa_shake_192f,
  slh_dsa_sha2_256s,
  slh_dsa_shake_256s,
  slh_dsa_sha2_256f,
  slh_dsa_shake_256f
};
inline constexpr std::size_t signing_key_type_count = 21;

/// The type's word in configuration and API: "rsa-2048", "p-256", "ml-dsa-65", "slh-dsa-sha2-128s".
std::string_view word(SigningKeyType type);
/// The type of that word; arguments_bad lists the words.
Result<SigningKeyType> signing_key_type(std::string_view word);

/// How a signature is made. PSS uses its hash for the mask too, and a salt as long as the hash. From ml_dsa_44 on in
/// the order of SigningKeyType: such keys sign in one way.
enum class SignatureScheme : std::uint8_t {
  rsa_pkcs1_sha256,
  rsa_pkcs1_sha384,
  rsa_pkcs1_sha512,
  rsa_pss_sha256,
  rsa_pss_sha384,
  rsa_pss_sha512,
  ecdsa_sha256,
  ecdsa_sha384,
  ecdsa_sha512,
  ml_dsa_44,
  ml_dsa_65,
  ml_dsa_87,
  slh_dsa_sha2_128s,
  slh_dsa_shake_128s,
  slh_dsa_sha2_128f,
  slh_dsa_shake_128f,
  slh_dsa_sha2_192s,
  slh_dsa_shake_192s,
  slh_dsa_sha2_192f,
  slh_dsa_shake_192f,
  slh_dsa_sha2_256s,
  slh_dsa_shake_256s,
  slh_dsa_sha2_256f,
  slh_dsa_shake_256f
};
inline constexpr std::size_t signature_scheme_count = 24;

/// The scheme's word: "ecdsa-sha256", "rsa-pss-sha384", "ml-dsa-65".
std::string_view word(SignatureScheme scheme);
/// The scheme of that word; arguments_bad lists the words.
Result<SignatureScheme> signature_scheme(std::string_view word);

/// The scheme a key of that type uses unless told otherwise: the hash is as strong as the key.
SignatureScheme default_scheme(SigningKeyType type, bool prefer_pss = false);
/// Whether keys of that type sign so.
bool fits(SigningKeyType type, SignatureScheme scheme);

/// The public side of a signing key.
struct SigningKey {
  std::string name;  ///< unique in the token
  SigningKeyType type = SigningKeyType::p256;
  Bytes public_key;  ///< SubjectPublicKeyInfo, DER (RFC 5280, 4.1.2.7)
};

/// What an AES key may be used for. One key does one thing, so that no use can be turned against another.
enum class SecretKeyUse : std::uint8_t {
  derive,  ///< derive()
  wrap     ///< wrap() and unwrap()
};

/// A token with named keys. Every function may be called from any thread. A token that failed (module gone, session or
/// login lost) is opened again by the next call; device_error, token_absent, timed_out and the like tell that it cannot
/// be now, in words. Names are 1 to 64 printable ASCII characters; others give arguments_bad.
class KeyToken {
 public:
  KeyToken() = default;
  KeyToken(const KeyToken&) = delete;
  KeyToken& operator=(const KeyToken&) = delete;
  virtual ~KeyToken() = default;

  /// Whether the token is there, logged in and answers; for readiness checks.
  virtual Status check() = 0;
  /// Whether this token can make such keys and sign with them; false also while it cannot be asked.
  virtual bool supports(SigningKeyType type) = 0;

  /// not_found when there is no signing key of that name.
  virtual Result<SigningKey> signing_key(std::string_view name) = 0;
  /// Makes a key pair that cannot leave the token. exists when the name is taken; mechanism_invalid when the token has
  /// no keys of that type.
  virtual Result<SigningKey> generate_signing_key(std::string_view name, SigningKeyType type) = 0;
  /// Signs the message, hashing included, and answers the signature as X.509 carries it (ECDSA: the DER sequence of r
  /// and s, RFC 3279, 2.2.3). not_found; key_type_inconsistent when the key does not sign so.
  virtual Result<Bytes> sign(std::string_view name, SignatureScheme scheme, ByteView message) = 0;

  /// Makes an AES-256 key for that use that cannot leave the token, unless one of that name is there already.
  virtual Status ensure_secret_key(std::string_view name, SecretKeyUse use) = 0;
  /// Key derivation in counter mode with CMAC (SP 800-108r1, 4.1): 32-bit counter before, label, a zero byte, context,
  /// 32-bit length in bits. `length` is in bytes, 1 to 1024 (arguments_bad). The same inputs always give the same
  /// secret. not_found; key_function_not_permitted when the key is for another use.
  virtual Result<SecretBytes> derive(std::string_view name, std::string_view label, ByteView context,
                                     std::size_t length) = 0;
  /// Seals a small secret (1 byte to 64 KiB, data_length) with AES-256-GCM; `bound` is authenticated but not kept.
  /// Errors as of derive.
  virtual Result<Bytes> wrap(std::string_view name, const SecretBytes& secret, ByteView bound) = 0;
  /// Opens what wrap made. encrypted_data_invalid when it was changed, was bound to something else, or was sealed by
  /// another key.
  virtual Result<SecretBytes> unwrap(std::string_view name, ByteView sealed, ByteView bound) = 0;

  /// Destroys the key or key pair of that name; not_found. There is no way back.
  virtual Status destroy_key(std::string_view name) = 0;

  /// Random bytes from the token.
  virtual Result<SecretBytes> random(std::size_t size) = 0;
};

}  // namespace cardea::manager
