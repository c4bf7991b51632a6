#include "keystore/object_index.h"

#include <algorithm>

#include "keystore/store_file.h"

namespace cardea::keystore {
namespace {

std::optional<std::int64_t> hash_of(const AttributeSet& attributes, CK_ATTRIBUTE_TYPE type) {
  const auto value = attributes.get(type);
  if (!value || value->empty()) return std::nullopt;
  return index_hash(*value);
}

void add_id(std::vector<ObjectId>& ids, ObjectId id) {
  ids.insert(std::upper_bound(ids.begin(), ids.end(), id), id);
}

}  // namespace

void ObjectIndex::clear() {
  loaded_ = false;
  entries_.clear();
  erased_ = 0;
  by_key_id_.clear();
  by_label_.clear();
  single_.clear();
  damage_.clear();
}

void ObjectIndex::begin_load() {
  clear();
  loaded_ = true;
}

ObjectPtr ObjectIndex::put(ObjectId id, ByteView serialised_attributes) {
  if (!is_object_id(id)) {
    note_damage(id, "its number is out of range");
    return nullptr;
  }
  auto attributes = AttributeSet::parse(serialised_attributes);
  if (!attributes) {
    erase(id);
    note_damage(id, attributes.error().detail);
    return nullptr;
  }
  auto object = std::make_shared<const Object>(Object{.id = id, .attributes = std::move(*attributes)});
  put(object);
  return object;
}

void ObjectIndex::put(ObjectPtr object) {
  damage_.erase(object->id);
  if (!loaded_) {
    single_.insert_or_assign(object->id, std::move(object));
    return;
  }
  link(*object);
  const ObjectId id = object->id;
  if (entries_.empty() || entries_.back().id < id) {
    entries_.push_back({id, std::move(object)});
    return;
  }
  const auto at = entries_.begin() + (place(id) - entries_.cbegin());
  if (at == entries_.end() || at->id != id) {
    entries_.insert(at, {id, std::move(object)});
    return;
  }
  if (at->object) {
    const ObjectPtr old = std::exchange(at->object, nullptr);
    unlink(*old);
    link(*object);  // the new one may share hashes with the old one, which unlink() took out
  } else {
    --erased_;
  }
  at->object = std::move(object);
}

void ObjectIndex::erase(ObjectId id) {
  damage_.erase(id);
  single_.erase(id);
  const auto at = entries_.begin() + (place(id) - entries_.cbegin());
  if (at == entries_.end() || at->id != id || !at->object) return;
  unlink(*at->object);
  at->object.reset();
  if (++erased_ > 64 && erased_ > entries_.size() / 4) compact();
}

void ObjectIndex::note_damage(ObjectId id, std::string why) {
  damage_.insert_or_assign(id, std::move(why));
}

ObjectPtr ObjectIndex::get(ObjectId id) const {
  if (!loaded_) {
    const auto found = single_.find(id);
    return found == single_.end() ? nullptr : found->second;
  }
  const auto at = place(id);
  return at == entries_.end() || at->id != id ? nullptr : at->object;
}

void ObjectIndex::find(const Query& query, std::vector<ObjectPtr>& out) const {
  const auto indexed = [&](const HashIndex& index, std::int64_t hash) {
    const auto found = index.find(hash);
    if (found == index.end()) return;
    for (const ObjectId id : found->second) {
      const auto at = place(id);
      if (at->object && matches(*at->object, query)) out.push_back(at->object);
    }
  };
  if (const auto hash = hash_of(query.match, CKA_ID)) return indexed(by_key_id_, *hash);
  if (const auto hash = hash_of(query.match, CKA_LABEL)) return indexed(by_label_, *hash);
  if (query.match.count() == 0) out.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    if (entry.object && matches(*entry.object, query)) out.push_back(entry.object);
  }
}

std::vector<ObjectIndex::Entry>::const_iterator ObjectIndex::place(ObjectId id) const {
  return std::lower_bound(entries_.begin(), entries_.end(), id,
                          [](const Entry& entry, ObjectId wanted) { return entry.id < wanted; });
}

void ObjectIndex::link(const Object& object) {
  const auto add = [&](HashIndex& index, CK_ATTRIBUTE_TYPE type) {
    const auto hash = hash_of(object.attributes, type);
    if (!hash) return;
    Ids& ids = index[*hash];
    if (!std::binary_search(ids.begin(), ids.end(), object.id)) add_id(ids, object.id);
  };
  add(by_key_id_, CKA_ID);
  add(by_label_, CKA_LABEL);
}

void ObjectIndex::unlink(const Object& object) {
  const auto remove = [&](HashIndex& index, CK_ATTRIBUTE_TYPE type) {
    const auto hash = hash_of(object.attributes, type);
    if (!hash) return;
    const auto found = index.find(*hash);
    if (found == index.end()) return;
    Ids& ids = found->second;
    const auto at = std::lower_bound(ids.begin(), ids.end(), object.id);
    if (at != ids.end() && *at == object.id) ids.erase(at);
    if (ids.empty()) index.erase(found);
  };
  remove(by_key_id_, CKA_ID);
  remove(by_label_, CKA_LABEL);
}

void ObjectIndex::compact() {
  std::erase_if(entries_, [](const Entry& entry) { return !entry.object; });
  erased_ = 0;
}

}  // namespace cardea::keystore
