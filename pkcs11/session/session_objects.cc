#include "session/session_objects.h"

#include <algorithm>
#include <vector>

#include "token/key_material.h"

namespace cardea {

Result<ObjectPtr> SessionObjects::create(NewObject object, CK_SESSION_HANDLE owner) {
  const ObjectId id = next_id_.fetch_add(1, std::memory_order_relaxed);
  auto stored = std::make_shared<const Object>(Object{id, std::move(object.attributes)});
  auto secrets = std::make_shared<const SecretAttributes>(std::move(object.secrets));
  entries_.with([&](Entries& entries) { entries.emplace(id, Entry{stored, std::move(secrets), nullptr, owner}); });
  generation_.fetch_add(1, std::memory_order_acq_rel);
  return stored;
}

Result<ObjectPtr> SessionObjects::replace(ObjectId id, AttributeSet attributes) {
  auto replacement = std::make_shared<const Object>(Object{id, std::move(attributes)});
  const bool found = entries_.with([&](Entries& entries) {
    const auto entry = entries.find(id);
    if (entry == entries.end()) return false;
    entry->second.object = replacement;
    return true;
  });
  if (!found) return Code::object_handle_invalid;
  generation_.fetch_add(1, std::memory_order_acq_rel);
  return replacement;
}

Status SessionObjects::destroy(ObjectId id) {
  // The entry is released after the lock: freeing a key costs more than taking it out of the map.
  const auto removed = entries_.with([&](Entries& entries) { return entries.extract(id); });
  if (removed.empty()) return Code::object_handle_invalid;
  generation_.fetch_add(1, std::memory_order_acq_rel);
  return {};
}

template <class Predicate>
void SessionObjects::destroy_if(Predicate predicate) {
  entries_.with([&](Entries& entries) { std::erase_if(entries, predicate); });
  generation_.fetch_add(1, std::memory_order_acq_rel);
}

void SessionObjects::destroy_owned_by(CK_SESSION_HANDLE owner) {
  destroy_if([owner](const auto& entry) { return entry.second.owner == owner; });
}

void SessionObjects::destroy_private() {
  destroy_if([](const auto& entry) { return entry.second.object->is_private(); });
}

void SessionObjects::clear() {
  destroy_if([](const auto&) { return true; });
}

Result<ObjectPtr> SessionObjects::object(ObjectId id) const {
  return entries_.read([&](const Entries& entries) -> Result<ObjectPtr> {
    const auto entry = entries.find(id);
    if (entry == entries.end()) return Code::object_handle_invalid;
    return entry->second.object;
  });
}

void SessionObjects::find(const Query& query, const ObjectSink& sink) const {
  std::vector<ObjectPtr> found = entries_.read([&](const Entries& entries) {
    std::vector<ObjectPtr> matching;
    for (const auto& [id, entry] : entries) {
      if (matches(*entry.object, query)) matching.push_back(entry.object);
    }
    return matching;
  });
  std::sort(found.begin(), found.end(), [](const ObjectPtr& a, const ObjectPtr& b) { return a->id < b->id; });
  for (const ObjectPtr& object : found) sink(object);
}

Result<KeyPtr> SessionObjects::key(const Object& object) {
  struct Material {
    KeyPtr key;
    ObjectPtr object;
    std::shared_ptr<const SecretAttributes> secrets;
  };
  const Material material = entries_.read([&](const Entries& entries) {
    const auto entry = entries.find(object.id);
    return entry == entries.end() ? Material{}
                                  : Material{entry->second.key, entry->second.object, entry->second.secrets};
  });
  if (material.key) return material.key;
  if (!material.object) return Code::object_handle_invalid;
  CARDEA_ASSIGN(KeyPtr key, make_key(material.object->attributes, *material.secrets));
  entries_.with([&](Entries& entries) {
    if (const auto entry = entries.find(object.id); entry != entries.end()) entry->second.key = key;
  });
  return key;
}

Result<SecretAttributes> SessionObjects::secrets(const Object& object) const {
  const auto secrets = entries_.read([&](const Entries& entries) {
    const auto entry = entries.find(object.id);
    return entry == entries.end() ? nullptr : entry->second.secrets;
  });
  if (!secrets) return Code::object_handle_invalid;
  SecretAttributes copy;
  for (const auto& [type, value] : *secrets) copy.emplace(type, value.copy());
  return copy;
}

}  // namespace cardea
