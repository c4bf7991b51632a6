// Objects that live in memory for as long as the session that made them, visible to all sessions on the same token.
#pragma once

#include <atomic>
#include <memory>
#include <unordered_map>

#include "base/guarded.h"
#include "token/key.h"
#include "token/object.h"

namespace cardea {

class SessionObjects {
 public:
  /// Stores an object on behalf of a session.
  Result<ObjectPtr> create(NewObject object, CK_SESSION_HANDLE owner);
  Result<ObjectPtr> replace(ObjectId id, AttributeSet attributes);
  Status destroy(ObjectId id);
  /// Destroys what a session leaves behind when it closes.
  void destroy_owned_by(CK_SESSION_HANDLE owner);
  /// Destroys private objects (C_Logout, PKCS#11 3.2, 5.6.8).
  void destroy_private();
  void clear();

  Result<ObjectPtr> object(ObjectId id) const;
  void find(const Query& query, const ObjectSink& sink) const;
  /// The usable key; made on first use.
  Result<KeyPtr> key(const Object& object);
  Result<SecretAttributes> secrets(const Object& object) const;

  /// Changes with every create, replace and destroy.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

 private:
  struct Entry {
    ObjectPtr object;
    std::shared_ptr<const SecretAttributes> secrets;
    KeyPtr key;
    CK_SESSION_HANDLE owner = 0;
  };
  using Entries = std::unordered_map<ObjectId, Entry>;

  template <class Predicate>
  void destroy_if(Predicate predicate);

  SharedGuarded<Entries> entries_;
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<ObjectId> next_id_{1};
};

}  // namespace cardea
