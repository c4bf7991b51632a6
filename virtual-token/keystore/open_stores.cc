#include "keystore/open_stores.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "base/process_root.h"
#include "database/earlier_copy.h"

namespace cardea::keystore {
namespace {

struct OpenStores {
  std::mutex mutex;  // held while a store is opened or closed; taken before any store's own lock
  std::vector<OpenStore*> stores;
  OpenStores* older = nullptr;  // those of the parent, of its parent, …: inherited and not yet closed
};

// Both survive a fork on purpose; everything else hangs off the process root, which does not.
std::atomic<OpenStores*> at_fork{nullptr};
std::atomic<OpenStores*> inherited{nullptr};
std::atomic<bool> handlers_registered{false};

OpenStores& open_stores() {
  return process_singleton<OpenStores>(Root::stores);
}

}  // namespace

struct ForkGuard {
  static void prepare() {
    auto* const all = static_cast<OpenStores*>(process_root(Root::stores).load(std::memory_order_acquire));
    at_fork.store(all);
    if (all == nullptr) return;
    all->mutex.lock();
    for (OpenStore* const store : all->stores) store->mutex_.lock();
  }

  static void parent() {
    OpenStores* const all = at_fork.exchange(nullptr);
    if (all == nullptr) return;
    for (OpenStore* const store : all->stores) store->mutex_.unlock();
    all->mutex.unlock();
  }

  static void child() {
    OpenStores* const all = at_fork.exchange(nullptr);
    if (all == nullptr) return;
    // Nothing is done with them here: only async-signal-safe work is allowed until the child calls us again.
    all->older = inherited.load();
    inherited.store(all);
  }

  static void close_inherited() {
    for (OpenStores* from = inherited.exchange(nullptr); from != nullptr; from = std::exchange(from->older, nullptr)) {
      for (OpenStore* const store : from->stores) store->file_.close_inherited();
    }
  }
};

void CloseStore::operator()(OpenStore* store) const noexcept {
  OpenStores& all = open_stores();
  const std::lock_guard lock(all.mutex);
  // A store that was inherited is not in the list; it was or will be closed by close_inherited().
  const auto found = std::find(all.stores.begin(), all.stores.end(), store);
  if (found == all.stores.end()) return;
  all.stores.erase(found);
  delete store;
}

Result<OpenStorePtr> open_store(const std::filesystem::path& directory) {
  if (const std::string other = database::earlier_copy(); !other.empty()) {
    return error(Code::locking_impossible,
                 "this process uses another copy of the module, " + other + ", and two would undo each other's locks");
  }
  if (!handlers_registered.exchange(true)) {
    // Our locks stay taken in a child, which then opens files that follow forks (ProcessFile): in a fork, too, ours are
    // taken first, since the handlers for those were registered when the library was loaded.
    if (pthread_atfork(ForkGuard::prepare, ForkGuard::parent, ForkGuard::child) != 0) {
      handlers_registered.store(false);
      return Code::host_memory;
    }
  }
  OpenStores& all = open_stores();
  const std::lock_guard lock(all.mutex);
  ForkGuard::close_inherited();
  CARDEA_ASSIGN(StoreFile file, StoreFile::open(directory));
  ChangeCounter counter = ChangeCounter::open(directory / counter_name, file.writable());
  if (file.writable() && !counter.mapped()) {
    // Other processes watch the counter: a writer that cannot raise it would go unnoticed.
    return error(Code::device_memory,
                 "the change counter " + (directory / counter_name).string() + " cannot be mapped");
  }
  OpenStorePtr store(new OpenStore(std::move(file), std::move(counter)));
  all.stores.push_back(store.get());
  return store;
}

}  // namespace cardea::keystore
