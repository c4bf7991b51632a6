// The public side of a token's objects in memory, found by id, CKA_ID and CKA_LABEL.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "token/object.h"

namespace cardea::keystore {

/// What a process knows of a store's objects. Either all of them (loaded), or those that were asked for one by one.
/// Not thread-safe.
class ObjectIndex {
 public:
  bool loaded() const noexcept { return loaded_; }
  std::uint64_t epoch = 0;   ///< which master key the store had when this was read
  std::uint64_t change = 0;  ///< the store's last change that is reflected here

  /// Forgets everything.
  void clear();
  /// Begins a full load; afterwards objects are added in ascending order of id.
  void begin_load();

  /// Adds or replaces. A damaged serialised form is remembered as a problem instead; answers null then.
  ObjectPtr put(ObjectId id, ByteView serialised_attributes);
  void put(ObjectPtr object);
  void erase(ObjectId id);
  /// Notes that an object's row cannot be read.
  void note_damage(ObjectId id, std::string why);

  /// The object, or null.
  ObjectPtr get(ObjectId id) const;
  /// Objects that match, in ascending order of id. Only when loaded.
  void find(const Query& query, std::vector<ObjectPtr>& out) const;

  const std::map<ObjectId, std::string>& damage() const noexcept { return damage_; }

 private:
  struct Entry {
    ObjectId id;
    ObjectPtr object;  // null: erased, the place is kept until compact()
  };
  using Ids = std::vector<ObjectId>;
  using HashIndex = std::unordered_map<std::int64_t, Ids>;

  std::vector<Entry>::const_iterator place(ObjectId id) const;
  void unlink(const Object& object);
  void link(const Object& object);
  void compact();

  bool loaded_ = false;
  std::vector<Entry> entries_;  // ascending ids
  std::size_t erased_ = 0;
  HashIndex by_key_id_;
  HashIndex by_label_;
  std::unordered_map<ObjectId, ObjectPtr> single_;  // while not loaded
  std::map<ObjectId, std::string> damage_;
};

}  // namespace cardea::keystore
