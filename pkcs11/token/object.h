// Objects as every token kind shows them, whatever the token is made of.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "token/attribute_set.h"

namespace cardea {

/// Identifies an object inside its token (or among the session objects of a slot); never reused while the token lives.
/// Values are below 2^40, so that a handle can carry the slot beside it.
using ObjectId = std::uint64_t;

/// An object's public side. Immutable once shared; a change makes a new one under the same id.
struct Object {
  ObjectId id = 0;
  AttributeSet attributes;

  CK_OBJECT_CLASS object_class() const noexcept { return attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED); }
  CK_KEY_TYPE key_type() const noexcept { return attributes.get_ulong(CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION); }
  bool is_private() const noexcept { return attributes.get_bool(CKA_PRIVATE); }
  bool on_token() const noexcept { return attributes.get_bool(CKA_TOKEN); }
};
using ObjectPtr = std::shared_ptr<const Object>;

/// An object about to be stored.
struct NewObject {
  AttributeSet attributes;
  SecretAttributes secrets;
};

/// What a search asks for: every attribute must be present with that value (PKCS#11 3.2, 5.7.7).
struct Query {
  AttributeSet match;
  bool include_private = false;  ///< whether objects with CKA_PRIVATE are visible to the caller
};

/// Receives found objects one by one.
using ObjectSink = std::function<void(const ObjectPtr&)>;

/// Whether an object answers a query.
bool matches(const Object& object, const Query& query) noexcept;

/// A place that keeps objects: a keystore token, or the session objects of a slot. Thread-safe.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Stores all of them or none, durably before it returns; answers them with their ids in the same order.
  /// device_memory when full, token_write_protected, user_not_logged_in when secrets cannot be sealed.
  virtual Result<std::vector<ObjectPtr>> create(std::vector<NewObject> objects) = 0;

  /// Replaces the public attributes of an object; its secrets stay. object_handle_invalid when it is gone.
  virtual Result<ObjectPtr> replace(ObjectId id, const AttributeSet& attributes) = 0;

  /// Removes an object for good, secrets included. object_handle_invalid when it is gone.
  virtual Status destroy(ObjectId id) = 0;
};

}  // namespace cardea
