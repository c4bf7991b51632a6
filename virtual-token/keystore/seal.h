// Sealing with AES-256-GCM: the secrets of an object under the store key, and the master key under a PIN.
#pragma once

#include <string>

#include "base/config.h"
#include "token/object.h"

namespace cardea::keystore {

inline constexpr std::size_t key_size = 32;       ///< bytes of the master key and of every key derived from it
inline constexpr std::size_t salt_size = 16;      ///< bytes; RFC 9106, 3.1 recommends 16
inline constexpr std::size_t seal_overhead = 28;  ///< nonce and tag

/// What an object's seal is bound to. Changing any of it makes the seal unopenable.
struct SealContext {
  std::string_view serial;
  ObjectId id = 0;
  ByteView attributes;  ///< the serialised public attributes
};

/// nonce || ciphertext || tag over the secrets (none: a bare tag over the context).
Result<Bytes> seal_secrets(const SecretBytes& store_key, const SealContext& context, const SecretAttributes& secrets);

/// The inverse; store_corrupt when the row was changed or belongs to another key.
Result<SecretAttributes> open_secrets(const SecretBytes& store_key, const SealContext& context, ByteView sealed);

/// The key under which objects are sealed: SP 800-56C rev. 2, 4.1 (one-step, SHA-256) from the master key, so that a
/// further use of the master key never shares a key with this one.
Result<SecretBytes> derive_store_key(const SecretBytes& master_key, std::string_view serial);

/// The master key wrapped under a PIN, as the table unlock_method keeps it.
struct WrappedKey {
  PinCost cost;
  Bytes salt;
  Bytes sealed;
  bool covered = false;  ///< `sealed` lies under a sealing key once more
};

inline constexpr int recovery_method = 3;  ///< WrapContext::method of a sealing secret under the recovery code

/// What a wrapped key is bound to: which token and which method (1 user PIN, 2 SO PIN, recovery_method), so that the
/// SO's cannot stand in for the user's.
struct WrapContext {
  std::string_view serial;
  int method = 0;
};

/// Wraps under Argon2id (RFC 9106) of the PIN with a fresh salt. host_memory when the cost asks for too much.
Result<WrappedKey> wrap_under_pin(const SecretBytes& master_key, const Pin& pin, const PinCost& cost,
                                  const WrapContext& context);

/// The master key again; pin_incorrect when the PIN is another (or the row was changed).
Result<SecretBytes> unwrap_with_pin(const WrappedKey& wrapped, const Pin& pin, const WrapContext& context);

/// What covers the wrapped keys of a sealed token, from the secret that its machine keeps (token/sealer.h), as
/// derive_store_key does it.
Result<SecretBytes> derive_sealing_key(const SecretBytes& secret, std::string_view serial);

/// Wraps a wrapped key once more, so that without the sealing key nobody can even try PINs.
Result<WrappedKey> cover(const WrappedKey& wrapped, const SecretBytes& sealing_key, const WrapContext& context);
/// The inverse; store_corrupt when the row was changed or belongs to another key.
Result<WrappedKey> uncover(const WrappedKey& wrapped, const SecretBytes& sealing_key, const WrapContext& context);

}  // namespace cardea::keystore
