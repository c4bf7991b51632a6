// What the life of a credential does with a token of any kind. The daemon's steps (docs/manager.md) are written against
// this shape; cards, keystores and virtual cards of a TPM fill it in.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "crypto/key_algorithm.h"
#include "token/token.h"

namespace cardea::agent {

/// What a token's administrator has to answer.
struct AdminChallenge {
  std::string algorithm;  ///< "3des", "aes128", "aes192", "aes256", "hmac-sha256" (docs/manager.md)
  Bytes bytes;
};

/// Who stands behind a piece of work. A device asks for what its kind needs and for nothing else.
class Authority {
 public:
  virtual ~Authority() = default;
  /// The user's PIN. `refused`: the token did not take the one that was told before.
  virtual Result<Pin> user_pin(bool refused) = 0;
  /// The user's PIN for the last try that the token has left, from a person who knows that it is the last;
  /// pin_incorrect when nobody does.
  virtual Result<Pin> last_user_pin() { return error(Code::pin_incorrect, "only one try of the PIN is left"); }
  /// Whether the person types the PIN on the reader's own pad, where no program sees it; asked only where there is one.
  /// `refused` as above, `last`: the next wrong one locks. False: one of the two above tells the PIN. Errors as theirs.
  virtual Result<bool> types_on_pad(bool /*refused*/, bool /*last*/) { return false; }
  /// The administrator's answer; the key stays with whoever answers. `attempt` counts from 0: while keys are being
  /// changed, or nobody knows whether the token still has the factory's, there are several. pin_incorrect when there is
  /// no further one.
  virtual Result<Bytes> answer(const AdminChallenge& challenge, int attempt) = 0;
  /// The secret that sets the user PIN anew where no challenge does: PUK of a PIV card, SO PIN of a keystore.
  /// user_not_logged_in when nobody gave it.
  virtual Result<Pin> unblocking_secret() = 0;
  /// The administrator's present key itself, where the token takes a new one only together with it (virtual cards of a
  /// TPM). user_not_logged_in when nobody gave it.
  virtual Result<SecretBytes> admin_key() = 0;
};

/// A place for a key on a token, and what it holds.
struct DeviceContainer {
  /// "authentication", "signature", "encryption", "card_authentication", "retired-1" … "retired-20"; another name for
  /// what others put there.
  std::string name;
  bool has_key = false;  ///< false: a certificate alone
  bool local = false;    ///< the token says that the key was made on it
  Bytes public_key;      ///< SubjectPublicKeyInfo; empty when the token does not tell
  Bytes certificate;     ///< DER; empty without
};

/// Which secrets are those that every new token of the kind has; absent where that cannot be told without burning a
/// try.
struct FactorySecrets {
  std::optional<bool> admin_key;
  std::optional<bool> puk;
  std::optional<bool> user_pin;
};

struct DeviceDescription {
  std::string kind;  ///< piv, gids, keystore, tpm
  std::string serial;
  std::string label;
  std::string model;
  PinState user_pin;
  std::size_t min_pin_length = 4;
  std::size_t max_pin_length = 255;
  FactorySecrets factory;
  std::string admin_algorithm;  ///< as in AdminChallenge; empty: the administrator answers no challenges
  bool attests = false;
  /// The card has no card UUID (SP 800-73-4 part 1, 3.1.2) and would keep its serial number if it got one.
  bool lacks_card_uuid = false;
  bool has_pin_pad = false;  ///< the reader has a pad of its own for PINs
  bool user_writes = false;  ///< keys and certificates are written with the user PIN
  bool blank = false;        ///< nothing is on it that names it: initialise() comes first
  /// The object that holds the serial number, where a reset takes it away; empty where the number stays.
  Bytes number_object;
  std::size_t free_history = 0;             ///< further decryption keys that fit, as far as the token tells
  std::vector<DeviceContainer> containers;  ///< those that hold something
};

/// What key is to be made.
struct KeySpec {
  crypto::KeyAlgorithm algorithm = crypto::KeyAlgorithm::p256;
  std::size_t bits = 0;           ///< RSA only
  std::string pin_policy = {};    ///< "never", "once", "always"; empty: the token's own
  std::string touch_policy = {};  ///< "never", "cached", "always"; empty: the token's own
};
/// "rsa:2048", "ec:P-256", "ed25519" and the like; arguments_bad.
Result<KeySpec> parse_key_spec(std::string_view word);

/// A decryption key that comes back from the archive.
struct ArchivedKey {
  SecretBytes pkcs8;
  Bytes certificate;  ///< DER
};

/// What became of a history of keys. Numbers count the keys as they were given.
struct HistoryReport {
  std::vector<std::size_t> written;
  std::vector<std::size_t> present;   ///< found on the token by their public keys
  std::vector<std::size_t> left_out;  ///< no space
};

/// A key's answer to somebody who wants to see that it is there.
struct KeySignature {
  Bytes signature;        ///< as X.509 carries it (ECDSA: DER)
  std::string mechanism;  ///< "rsa-pkcs1-sha256", "ecdsa-sha256", "ecdsa-sha384", "ed25519" …
};

/// What a token states about where one of its keys was made. One of the two.
struct KeyStatement {
  std::vector<Bytes> certificates;  ///< cards: the key's own first, then that of the key which signed it
  std::string tpm;                  ///< virtual cards of a TPM: the text of `cardea tpm attest`
};

/// One token. Every method leaves the token as asked also when it is already so, because a step that was cut off is run
/// again: what is already done counts as done. Errors beside those named: device_removed, timed_out, device_error,
/// user_not_logged_in, pin_incorrect (with tries left), pin_locked, those of the Authority, and function_not_supported
/// where the kind has no such thing. One thread at a time.
class Device {
 public:
  virtual ~Device() = default;

  virtual Result<DeviceDescription> describe() = 0;
  /// Lays out a blank token and gives it a number, these secrets and nothing else; answers the number. exists when it
  /// is not blank.
  virtual Result<std::string> initialise(const Pin& user_pin, const SecretBytes& admin_key) = 0;

  /// Has the token check that the authority is its administrator.
  virtual Status prove_administrator(Authority& authority) = 0;
  /// Replaces the administrator's key, proved by the present one or found to be the new one already. key_size_range.
  virtual Status set_admin_key(Authority& authority, const SecretBytes& fresh) = 0;
  /// Replaces the PUK or SO PIN, which the authority tells, or which is the new one already.
  virtual Status set_puk(Authority& authority, const Pin& fresh) = 0;

  /// Sets the first user PIN of a token that has the factory's, or none.
  virtual Status set_first_pin(Authority& authority, const Pin& fresh) = 0;
  /// Sets the user PIN without the old one, and unlocks it.
  virtual Status set_user_pin(Authority& authority, const Pin& fresh) = 0;
  virtual Status change_user_pin(const Pin& old_pin, const Pin& fresh) = 0;
  /// Makes sure that no PIN opens the token until one is set anew.
  virtual Status block_user_pin(Authority& authority) = 0;
  /// Has the token check the user's PIN.
  virtual Status prove_user(Authority& authority) = 0;

  /// Generates a key pair in the container; answers the SubjectPublicKeyInfo. A key without certificate that is there
  /// is replaced: it is what an interrupted issuance left. exists: there is a key with a certificate, and `replace` is
  /// not the SHA-256 digest of its SubjectPublicKeyInfo.
  virtual Result<Bytes> generate(Authority& authority, const std::string& container, const KeySpec& spec,
                                 ByteView replace) = 0;
  /// SubjectPublicKeyInfo of the container's key; not_found when there is none, or the token does not tell.
  virtual Result<Bytes> public_key(const std::string& container) = 0;
  /// Signs with the container's key, by a mechanism that fits it; `hash` may be Hash::none, for one as strong as the
  /// key. not_found.
  virtual Result<KeySignature> sign(Authority& authority, const std::string& container, Hash hash, ByteView data) = 0;
  /// Writes the certificate of the container's key and answers it as read back. key_type_inconsistent when the
  /// certificate is another key's, not_found when there is no key.
  virtual Result<Bytes> write_certificate(Authority& authority, const std::string& container, ByteView certificate) = 0;
  /// Writes certificates of authorities (DER) for whoever builds chains from the token's own; answers how many were not
  /// there yet. Others stay. function_not_supported where the kind has no place for them, device_memory when they do
  /// not fit, data_invalid when the token's file of them cannot be read, or one of them is no certificate.
  virtual Result<std::size_t> write_authorities(Authority& authority, std::span<const Bytes> certificates) = 0;
  /// Writes a key made elsewhere (PKCS#8) in place of what is there, which goes with its certificate; true when it was
  /// there already. exists as generate().
  virtual Result<bool> import_key(Authority& authority, const std::string& container, const SecretBytes& pkcs8,
                                  ByteView replace) = 0;
  /// Writes former decryption keys, the newest first. Those that are on the token stay where they are, but for the key
  /// in the container `leaving`, which is about to be replaced (empty: none); what does not fit is named, and is no
  /// failure.
  virtual Result<HistoryReport> write_history(Authority& authority, std::span<const ArchivedKey> newest_first,
                                              const std::string& leaving) = 0;
  /// Removes key and certificate; no failure when there is none.
  virtual Status remove(Authority& authority, const std::string& container) = 0;
  /// Writes a file of the token by its name (PIV: names of `cardea card dump`).
  virtual Status write_object(Authority& authority, const std::string& name, ByteView content) = 0;

  /// What the token says of where the key was made; `nonce` (48 bytes at most) goes into it where the kind allows that.
  virtual Result<KeyStatement> attest(Authority& authority, const std::string& container, ByteView nonce) = 0;
  /// Answers a challenge to the hardware that made such a statement (docs/tpm.md, "Attestation"). data_invalid.
  virtual Result<SecretBytes> answer_attestation(ByteView credential) = 0;
  /// Destroys all keys and certificates. True: the token has the secrets of the factory again; else they are to be set
  /// by the methods above. For tokens that are made (keystores, virtual cards) the token is gone.
  virtual Result<bool> erase(Authority& authority) = 0;
  /// Writes the object with the serial number (DeviceDescription) onto a card that lost it because an erasure was cut
  /// off. action_prohibited when the card has keys or other secrets than the factory's.
  virtual Status give_back_number(ByteView /*object*/) { return Code::function_not_supported; }
};

}  // namespace cardea::agent
