// The one shape that every token has, whatever it is made of: PIV card, generic minidriver card, TPM or keystore.
// Small optional interfaces say what a token can do beyond being read; a kind implements those that it has.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "token/key.h"
#include "token/object.h"

namespace cardea {

/// Who is logged in. PKCS#11 knows the user and the security officer; cards may have more PIN roles behind `user`.
enum class Role : std::uint8_t { none, user, security_officer };

/// How far a PIN is from being locked.
struct PinState {
  bool initialized = false;
  bool locked = false;
  bool to_be_changed = false;
  std::optional<int> retries_left;  ///< absent when the token does not tell without burning a try
  int retry_limit = 0;              ///< 0: unknown or unlimited
};

/// What a token says of itself. Cheap to ask; no login needed.
struct TokenDescription {
  std::string label;         ///< UTF-8, at most 32 bytes
  std::string manufacturer;  ///< at most 32 bytes
  std::string model;         ///< at most 16 bytes
  std::string serial;        ///< at most 16 bytes; stable for the life of the token
  bool initialized = false;
  bool login_required = true;
  bool write_protected = false;
  bool protected_authentication_path = false;
  bool has_clock = false;
  std::size_t min_pin_length = 4;    ///< bytes
  std::size_t max_pin_length = 255;  ///< bytes
  PinState user_pin;
  PinState so_pin;
  std::vector<std::string> problems;  ///< findings for `doctor`: damaged objects, wrong permissions … one sentence each
};

class PinManager;
class TokenInitializer;
class KeyGenerator;

/// A token. Thread-safe; shared by all sessions of a process. Methods that reach hardware return within bounded time.
class Token {
 public:
  virtual ~Token() = default;

  virtual TokenDescription describe() = 0;

  /// False once the token is known to have left its slot: its sessions are over (PKCS#11 3.2, 5.6). Costs no I/O.
  virtual bool present() const noexcept { return true; }
  /// Whether the security officer makes and removes private objects, as the administrator of a card does. A keystore's
  /// do not (PKCS#11 3.2, 4.4: only the user works with private objects).
  virtual bool officer_writes_objects() const noexcept { return false; }

  /// A number that changes whenever objects were created, changed or destroyed, by this process or another.
  /// Costs no system call in the common case.
  virtual std::uint64_t generation() = 0;

  /// Authenticates for this process. pin_incorrect (with tries left), pin_locked, pin_length, user_pin_not_initialized.
  virtual Status login(Role role, const Pin& pin) = 0;
  /// Forgets keys and authentication of this process.
  virtual void logout() = 0;
  /// Authenticates once more for one operation of a key with CKA_ALWAYS_AUTHENTICATE (CKU_CONTEXT_SPECIFIC).
  virtual Status authenticate_again(const Pin& pin) = 0;

  /// Objects that match, in ascending order of id.
  virtual Status find(const Query& query, const ObjectSink& sink) = 0;
  /// One object; object_handle_invalid when there is none (or no longer).
  virtual Result<ObjectPtr> object(ObjectId id) = 0;
  /// The key behind a key object; user_not_logged_in, store_corrupt. Cheap when asked again.
  virtual Result<KeyPtr> key(const Object& object) = 0;
  /// The secret attributes of an object, as far as they can leave the token at all (attribute_sensitive when not).
  /// The caller has checked CKA_SENSITIVE and CKA_EXTRACTABLE.
  virtual Result<SecretAttributes> secrets(const Object& object) = 0;

  /// What this token's private keys can do at most. A mechanism that none of it serves is not listed for the token's
  /// slot; keys that live in the module's memory may still use it. Cheap when asked again.
  virtual Primitives primitives() { return ~Primitives{0}; }
  /// Takes out of what the module says of a mechanism for making keys what this token cannot make; without flags it is
  /// not listed either.
  virtual void narrow(CK_MECHANISM_TYPE, CK_MECHANISM_INFO&) {}
  /// Random bytes (C_GenerateRandom); device_error.
  virtual Status random(MutableBytes out);

  /// Capabilities; null where the token has none of the kind.
  virtual ObjectStore* object_store() { return nullptr; }
  virtual PinManager* pin_manager() { return nullptr; }
  virtual TokenInitializer* initializer() { return nullptr; }
  virtual KeyGenerator* key_generator() { return nullptr; }
};
using TokenPtr = std::shared_ptr<Token>;

/// Changing and unblocking PINs.
class PinManager {
 public:
  virtual ~PinManager() = default;
  /// Changes a PIN that is known. pin_incorrect (with tries left), pin_locked, pin_length.
  virtual Status change(Role role, const Pin& old_pin, const Pin& new_pin) = 0;
  /// Sets the user PIN anew, with the security officer logged in; also unlocks it.
  virtual Status set_user_pin(const Pin& new_pin) = 0;
};

/// Making the token empty and new (C_InitToken).
class TokenInitializer {
 public:
  virtual ~TokenInitializer() = default;
  /// Destroys all objects, sets the label; on an initialised token `so_pin` must be the present SO PIN.
  virtual Status initialize(const Pin& so_pin, std::string_view label) = 0;
};

/// Key generation inside the token, for kinds whose private keys are born there.
class KeyGenerator {
 public:
  virtual ~KeyGenerator() = default;
  virtual bool generates(CK_MECHANISM_TYPE mechanism) const = 0;
  /// Both templates are complete (token/object_rules.h). Answers the public key object and the private key object.
  virtual Result<std::vector<ObjectPtr>> generate(CK_MECHANISM_TYPE mechanism, const AttributeSet& public_template,
                                                  const AttributeSet& private_template) = 0;
};

}  // namespace cardea
