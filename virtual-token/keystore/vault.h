// What a login makes available: the key that opens the store's secrets, and the keys made with it.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/guarded.h"
#include "token/token.h"

namespace cardea::keystore {

/// A login of this process. Wiped when the last user of it is done.
struct Unlocked {
  Role role = Role::none;
  std::uint64_t epoch = 0;  ///< of the store when the PIN was tried; an initialisation since makes the keys useless
  SecretBytes store_key;
  SecretBytes master_key;  ///< only for the security officer, who sets the user PIN with it
};
using UnlockedPtr = std::shared_ptr<const Unlocked>;

/// Thread-safe.
class Vault {
 public:
  void unlock(UnlockedPtr unlocked);
  /// Forgets login and keys.
  void lock();
  /// The present login, or null.
  UnlockedPtr unlocked() const;

  /// A key made earlier, or null.
  KeyPtr key(ObjectId id) const;
  /// To be asked for before a key's row is read, and given back with the key: keeps a key of a row that has changed
  /// meanwhile from being remembered.
  std::uint64_t stamp() const;
  void remember(ObjectId id, KeyPtr key, std::uint64_t stamp);
  void forget(ObjectId id);
  void forget_all();

 private:
  struct Keys {
    std::unordered_map<ObjectId, KeyPtr> by_id;
    std::uint64_t stamp = 0;
  };
  SharedGuarded<UnlockedPtr> unlocked_;
  SharedGuarded<Keys> keys_;
};

}  // namespace cardea::keystore
