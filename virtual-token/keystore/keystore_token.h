// One software keystore token: its store, its contents, its login, behind the shape that all tokens have.
#pragma once

#include <atomic>
#include <mutex>

#include "base/config.h"
#include "keystore/contents.h"
#include "keystore/files.h"
#include "keystore/vault.h"
#include "token/sealer.h"
#include "token/token.h"

namespace cardea::keystore {

/// Thread-safe. Born blank (initialize() makes its store) or open.
class KeystoreToken final : public Token, public PinManager, public TokenInitializer, public ObjectStore {
 public:
  /// A token without a store; initialize() will make one under that serial number. Without a sealer sealed tokens do
  /// not open.
  KeystoreToken(const Settings& settings, std::string serial, SealerPtr sealer = nullptr)
      : settings_(settings), serial_(std::move(serial)), sealer_(std::move(sealer)) {}
  /// Opens an existing token's store. Errors as StoreFile::open and check_directory.
  static Result<std::shared_ptr<KeystoreToken>> open(const Settings& settings, const std::string& serial,
                                                     SealerPtr sealer = nullptr);

  bool blank() const noexcept { return opened_.load(std::memory_order_acquire) == nullptr; }
  /// Whether its directory is still there.
  bool in_place() const;
  /// Reads everything and checks the database; one sentence for each finding.
  Result<std::vector<std::string>> check();

  TokenDescription describe() override;
  std::uint64_t generation() override;
  Status login(Role role, const Pin& pin) override;
  void logout() override;
  Status authenticate_again(const Pin& pin) override;
  Status find(const Query& query, const ObjectSink& sink) override;
  Result<ObjectPtr> object(ObjectId id) override;
  Result<KeyPtr> key(const Object& object) override;
  Result<SecretAttributes> secrets(const Object& object) override;
  ObjectStore* object_store() override { return this; }
  PinManager* pin_manager() override { return this; }
  TokenInitializer* initializer() override { return this; }

  Status change(Role role, const Pin& old_pin, const Pin& new_pin) override;
  Status set_user_pin(const Pin& new_pin) override;

  Status initialize(const Pin& so_pin, std::string_view label) override;

  /// Seals the token: its PINs open it on this machine only. The PIN is tried and counted as at a login. Answers the
  /// recovery code. exists when it is sealed already; errors of login and of the sealer.
  Result<Pin> seal(Role role, const Pin& pin);
  /// Takes the seal off; PINs stay. not_found when there is none.
  Status unseal(Role role, const Pin& pin);
  /// The same by the recovery code, where the machine is another one: needs neither PIN nor sealer. pin_invalid when it
  /// is not written as codes are, pin_incorrect.
  Status unseal_with_code(const Pin& code);
  Result<bool> sealed() const;
  /// Whether this machine opens the seal; nothing to find fault with when there is none.
  Status check_seal() const;

  Result<std::vector<ObjectPtr>> create(std::vector<NewObject> objects) override;
  Result<ObjectPtr> replace(ObjectId id, const AttributeSet& attributes) override;
  Status destroy(ObjectId id) override;

 private:
  /// What a token with a store has.
  struct Opened {
    Opened(OpenStorePtr store_file, Vault& vault);
    OpenStorePtr store;
    Contents contents;
  };
  /// An object's row, read whole.
  struct StoredObject {
    AttributeSet attributes;
    Bytes sealed;
  };

  std::filesystem::path directory() const;
  Result<Opened*> opened() const;
  Status open_store_file();
  UnlockedPtr valid_login(const Opened& opened) const;

  Status initialize_blank(const Pin& so_pin, std::string_view label);
  Status initialize_again(const Pin& so_pin, std::string_view label);
  Status check_pin_length(const Pin& pin, std::size_t least, std::size_t most) const;

  /// What a right PIN gives.
  struct Opening {
    SecretBytes master_key;
    std::optional<SecretBytes> sealing_key;  ///< of a sealed token
  };
  WrapContext wrap_context(Role role) const;
  Status count_try(StoreFile& file, Role role, int failures) const;
  /// Tries a PIN; the caller holds the login lock where the store is writable.
  Result<Opening> try_pin(Opened& opened, Role role, const Pin& pin) const;
  Result<std::optional<LoginLock>> login_lock(Opened& opened) const;
  Status put_pin(Opened& opened, Role role, const WrappedKey& wrapped, std::uint64_t epoch) const;
  Result<WrappedKey> wrap(const SecretBytes& master_key, Role role, const Pin& pin,
                          const std::optional<SecretBytes>& sealing_key) const;

  /// What covers the wrapped keys of a sealed token, from this machine's sealer; absent when the token is not sealed.
  Result<std::optional<SecretBytes>> sealing_key(Opened& opened) const;
  Result<Opened*> opened_for_sealing() const;
  Status replace_unlock_methods(Opened& opened, const SecretBytes& sealing_key, const std::optional<Seal>& seal) const;

  Result<StoredObject> stored_object(Opened& opened, ObjectId id) const;
  Result<SecretAttributes> open_seal(Opened& opened, ObjectId id, const StoredObject& object) const;

  const Settings settings_;
  const std::string serial_;
  const SealerPtr sealer_;
  mutable Vault vault_;
  std::mutex initializing_;
  std::unique_ptr<Opened> owner_;              // written once, under initializing_ or before the token is shared
  std::atomic<Opened*> opened_{nullptr};       // owner_, readable without a lock
  std::vector<std::string> found_at_opening_;  // permission problems
};

}  // namespace cardea::keystore
