// A connection to a TPM 2.0 through tpm2-tss, and what virtual cards ask of a TPM, in our own types.
//
// One thread at a time: tpm/tpm.h adds the lock. Commands answer the codes of esapi/response.h. Where a secret goes to
// or comes from the TPM, a session salted with the storage key hides it from who listens on the TPM's bus (TPM 2.0
// Library, part 1, 19.6 and 21).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/asymmetric_key.h"
#include "esapi/rsa_ability.h"
#include "tpm_remote/attestation.h"
#include "tpm_remote/wrapping.h"

namespace cardea::tpm {

/// An object that only the TPM under whose storage key it was made can load: TPM2B_PUBLIC and the content of
/// TPM2B_PRIVATE, which is encrypted.
struct Blob {
  Bytes public_area;
  Bytes private_area;
  bool operator==(const Blob&) const = default;
};

inline constexpr std::size_t auth_size = 32;    ///< bytes of an authorisation value: the digest of our objects' names
inline constexpr std::size_t nonce_size = 32;   ///< bytes of a challenge
inline constexpr std::size_t secret_size = 32;  ///< bytes of a sealed secret

/// The TPM's protection against guessing, shared by everything in it (part 1, 19.8).
struct LockOut {
  bool active = false;
  std::uint32_t failures = 0;         ///< counted so far
  std::uint32_t limit = 0;            ///< failures that start the lock-out
  std::uint32_t seconds_per_try = 0;  ///< after which one failure is forgotten; 0: never
  bool resettable = false;            ///< nobody has set an authorisation for that, so that anybody may
};

/// What differs between TPMs.
struct Capabilities {
  std::vector<std::size_t> rsa_bits;
  std::vector<crypto::KeyAlgorithm> curves;
};

/// RSA paddings of the TPM's own.
enum class RsaPadding : std::uint8_t { pkcs1, pss, oaep };

/// A private key to be made.
struct KeyTemplate {
  crypto::KeyAlgorithm algorithm = crypto::KeyAlgorithm::rsa;
  std::size_t bits = 0;  ///< RSA
};

/// How long an answer may take where a TPM is behind a socket; then it counts as lost.
struct Patience {
  std::chrono::milliseconds usual{std::chrono::seconds(30)};
  std::chrono::milliseconds making{std::chrono::minutes(5)};  ///< for commands that make a key
};

class EsapiContext;

/// An object inside the TPM. Flushed at the end of its life, unless the connection is gone by then.
class Loaded {
 public:
  Loaded() = default;
  Loaded(std::shared_ptr<EsapiContext> context, std::uint32_t handle) : context_(std::move(context)), handle_(handle) {}
  Loaded(Loaded&& other) noexcept;
  Loaded& operator=(Loaded&& other) noexcept;
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded();

  explicit operator bool() const noexcept { return context_ != nullptr; }
  std::uint32_t handle() const noexcept { return handle_; }
  void flush() noexcept;

  /// Which authorisation value goes with the commands that use this object from now on; empty at first.
  void authorise(const SecretBytes& auth) { auth_ = auth.copy(); }
  ByteView auth() const noexcept { return auth_.view(); }
  /// A storage key's public point, X9.62 uncompressed.
  ByteView point() const noexcept { return point_; }
  void set_point(Bytes point) { point_ = std::move(point); }

 private:
  std::shared_ptr<EsapiContext> context_;
  std::uint32_t handle_ = 0;
  SecretBytes auth_;
  Bytes point_;
};

/// The TPM's identity: the endorsement key, its public area, and its maker's certificate (DER; empty without one).
struct EndorsementKey {
  Loaded key;
  Bytes public_area;
  Bytes certificate;
  bool has_auth = false;  ///< usable with its own authorisation, which is empty; else by the hierarchy's
};

/// A key that signs what its TPM says, and nothing else.
struct AttestationKey {
  Loaded key;
  Bytes public_area;
};

/// What the TPM says of a key: TPMS_ATTEST, and TPMT_SIGNATURE over it.
struct KeyCertification {
  Bytes statement;
  Bytes signature;
};

class ProtectedSession;

/// A challenge that is open until its answer comes: a policy session of the TPM.
struct Challenge {
  std::shared_ptr<ProtectedSession> session;
  Bytes nonce;  ///< what the answer is computed over, see challenge_response()
};

class TpmConnection {
 public:
  /// Connects by a TCTI configuration such as "device:/dev/tpmrm0" (tss2-tctildr(7)). Sends the TPM nothing.
  /// token_absent without tpm2-tss or when there is no such TPM; permission_denied; device_error when it does not
  /// answer.
  static Result<TpmConnection> open(const std::string& tcti, const Patience& patience = {});

  TpmConnection(TpmConnection&&) noexcept = default;
  TpmConnection& operator=(TpmConnection&&) noexcept = default;

  Result<LockOut> lock_out();
  /// Has the TPM forget the failures. Only where LockOut::resettable: a wrong authorisation here counts heavily.
  Status reset_lock_out();
  Result<Capabilities> capabilities();
  /// Fills `out` from the TPM's generator.
  Status random(MutableBytes out);

  /// The storage key that follows from the owner's seed and `unique` (32 bytes): the same each time until the TPM is
  /// cleared. function_failed when the hierarchy wants another authorisation.
  Result<Loaded> storage_key(ByteView unique, const SecretBytes& hierarchy_auth);
  /// An object's name: what identifies it for good (part 1, 16).
  Result<Bytes> name(const Loaded& object);

  /// A new private key that signs and decrypts, usable with `auth`. Guessing that is hopeless, so it does not count
  /// against the lock-out, and works during one.
  Result<Blob> create_key(const Loaded& parent, const KeyTemplate& wanted, const SecretBytes& auth);
  /// A private key that was made elsewhere, taken in with a wrapper inside and one around it (part 1, 23.3), so that
  /// the plain key is in this process's memory only. attribute_value_invalid, curve_not_supported.
  Result<Blob> import_key(const Loaded& parent, const crypto::AsymmetricKey& key, const SecretBytes& auth);
  /// A key that was wrapped for that parent, with the authorisation that it was wrapped with. wrapped_key_invalid.
  Result<Blob> import_wrapped(const Loaded& parent, const WrappedKey& wrapped);
  /// The same key under another authorisation, for one whose authorisation is still empty.
  Result<Blob> change_auth(const Loaded& parent, const Blob& blob, const SecretBytes& auth);
  /// The public area of the storage key that storage_key() would give, TPM2B_PUBLIC.
  Result<Bytes> storage_key_area(ByteView unique, const SecretBytes& hierarchy_auth);
  /// The public half of a key.
  static Result<crypto::AsymmetricKeyPtr> public_key(const Blob& blob);

  /// A secret that opens with `auth`. Wrong tries count towards the lock-out.
  Result<Blob> seal(const Loaded& parent, const SecretBytes& secret, const SecretBytes& auth);
  /// A secret that this TPM gives to whoever has the blob. There is nothing to guess, so a lock-out does not stop it.
  Result<Blob> seal_to_tpm(const Loaded& parent, const SecretBytes& secret);
  /// A key for HMAC-SHA-256, with which answers to challenges are checked.
  Result<Blob> create_challenge_key(const Loaded& parent, const SecretBytes& key);
  /// A secret that opens with an answered challenge of that (loaded) key and with nothing else.
  Result<Blob> seal_under_challenge(const Loaded& parent, const SecretBytes& secret, const Loaded& challenge_key);

  /// wrapped_key_invalid when it was made under another parent or TPM.
  Result<Loaded> load(const Loaded& parent, const Blob& blob);
  /// The sealed secret; pin_incorrect, pin_locked.
  Result<SecretBytes> unseal(const Loaded& parent, const Loaded& sealed);
  Result<Challenge> challenge(const Loaded& parent);
  /// The secret, for the right answer (challenge_response()); pin_incorrect. The challenge is used up either way.
  Result<SecretBytes> unseal(const Challenge& challenge, const Loaded& challenge_key, ByteView answer,
                             const Loaded& sealed);

  /// Private-key operations of a loaded and authorised key; one command each. With `protect`, which is its parent, a
  /// fresh session proves the authorisation instead of showing it on the bus, for the price of a second command.
  /// The digest's bytes beyond the order are dropped; `out` gets r || s.
  Result<std::size_t> ecdsa_sign(const Loaded& key, const Loaded* protect, crypto::KeyAlgorithm curve, ByteView digest,
                                 MutableBytes out);
  /// The x coordinate of the shared point; `point` is X9.62 uncompressed.
  Result<std::size_t> ecdh(const Loaded& key, const Loaded* protect, crypto::KeyAlgorithm curve, ByteView point,
                           MutableBytes out);
  /// Modular exponentiation; input and output as long as the modulus.
  Result<std::size_t> rsa_raw(const Loaded& key, const Loaded* protect, ByteView input, MutableBytes out);
  /// The same with paddings of the TPM's own, for TPMs that refuse the above. A signature (pkcs1, pss) over a digest of
  /// one of own_hashes.
  Result<std::size_t> rsa_sign(const Loaded& key, const Loaded* protect, RsaPadding padding, Hash hash, ByteView digest,
                               MutableBytes out);
  /// Decryption (pkcs1, oaep with that hash and label, which ends with a zero unless it is empty); the bytes of the
  /// message. data_invalid when the padding was wrong.
  Result<std::size_t> rsa_decrypt(const Loaded& key, const Loaded* protect, RsaPadding padding, Hash hash,
                                  ByteView label, ByteView input, MutableBytes out);
  /// Tries out what RSA keys in this TPM can do: three commands, or nine where it refuses raw RSA.
  Result<RsaAbility> rsa_ability();

  /// The endorsement key, of the kind that the TPM has a certificate for (TCG EK Credential Profile 2.5, P-256 and RSA
  /// 2048 of the low and the high range); P-256 of the low range where it has none. function_failed when the
  /// endorsement hierarchy wants another authorisation.
  Result<EndorsementKey> endorsement_key(const SecretBytes& hierarchy_auth);
  /// An attestation key that follows from the endorsement seed and `unique` (32 bytes): P-256, ECDSA with SHA-256, with
  /// an empty authorisation. function_failed as above.
  Result<AttestationKey> attestation_key(ByteView unique, const SecretBytes& hierarchy_auth);
  /// TPM2_Certify of a loaded and authorised key, with a caller's nonce. `protect` as below. data_length.
  Result<KeyCertification> certify(const Loaded& key, const Loaded* protect, const Loaded& attestation_key,
                                   ByteView nonce);
  /// TPM2_ActivateCredential: the secret of a credential for these two keys, in a session salted with that storage key.
  /// data_invalid when the credential was made for others; function_failed.
  Result<SecretBytes> activate_credential(const Loaded& storage_key, const Loaded& attestation_key,
                                          const EndorsementKey& endorsement_key, const SecretBytes& hierarchy_auth,
                                          const Credential& credential);

  /// Whether an object was loaded over this connection and the connection was still good when last used.
  bool alive() const noexcept;
  /// Whether it is not because an answer did not come in time; then trying again at once only takes as long again.
  bool mute() const noexcept;
  /// Flushes all objects and sessions that this connection sees. No Loaded of ours may be left: what comes next gets
  /// the same handles. With a resource manager it sees only ours; without one also what a killed process has left.
  void flush_leftovers();

 private:
  explicit TpmConnection(std::shared_ptr<EsapiContext> context) : context_(std::move(context)) {}
  std::shared_ptr<EsapiContext> context_;
};

/// What PKCS#1 signs of a digest of one of own_hashes (RFC 8017, 9.2).
Bytes digest_info(Hash hash, ByteView digest);

/// What the holder of a challenge key answers: HMAC-SHA-256 over SHA-256 of the nonce and an expiration of zero
/// (TPM2_PolicySigned, part 3, 23.3).
Result<SecretBytes> challenge_response(const SecretBytes& key, ByteView nonce);

}  // namespace cardea::tpm
