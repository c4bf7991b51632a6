#include "keystore/vault.h"

namespace cardea::keystore {
namespace {

// A key ready for use takes a few kilobytes; processes that use more keys than this at a time make them again.
constexpr std::size_t most_keys = 256;

}  // namespace

void Vault::unlock(UnlockedPtr unlocked) {
  lock();  // public keys made before the login were not checked against their seals
  unlocked_.with([&](UnlockedPtr& present) { present = std::move(unlocked); });
}

void Vault::lock() {
  unlocked_.with([](UnlockedPtr& present) { present.reset(); });
  forget_all();
}

UnlockedPtr Vault::unlocked() const {
  return unlocked_.read([](const UnlockedPtr& present) { return present; });
}

KeyPtr Vault::key(ObjectId id) const {
  return keys_.read([&](const Keys& keys) -> KeyPtr {
    const auto found = keys.by_id.find(id);
    return found == keys.by_id.end() ? nullptr : found->second;
  });
}

std::uint64_t Vault::stamp() const {
  return keys_.read([](const Keys& keys) { return keys.stamp; });
}

void Vault::remember(ObjectId id, KeyPtr key, std::uint64_t stamp) {
  keys_.with([&](Keys& keys) {
    if (keys.stamp != stamp) return;
    if (keys.by_id.size() >= most_keys) keys.by_id.erase(keys.by_id.begin());
    keys.by_id.insert_or_assign(id, std::move(key));
  });
}

void Vault::forget(ObjectId id) {
  keys_.with([&](Keys& keys) {
    keys.by_id.erase(id);
    ++keys.stamp;
  });
}

void Vault::forget_all() {
  keys_.with([](Keys& keys) {
    keys.by_id.clear();
    ++keys.stamp;
  });
}

}  // namespace cardea::keystore
