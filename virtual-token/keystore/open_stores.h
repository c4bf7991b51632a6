// The stores this process has open, so that fork() finds them at rest and a child never uses what it inherited.
#pragma once

#include <memory>
#include <mutex>

#include "keystore/store_file.h"

namespace cardea::keystore {

/// A store file with its lock. While the lock is not held no transaction is in flight and no statement is running.
class OpenStore {
 public:
  OpenStore(StoreFile file, ChangeCounter counter) : file_(std::move(file)), counter_(std::move(counter)) {}

  /// Calls f(StoreFile&) under the lock.
  template <class F>
  decltype(auto) with(F&& f) {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(f)(file_);
  }

  /// Readable without the lock; writing only inside with() and a transaction.
  ChangeCounter& counter() noexcept { return counter_; }
  const ChangeCounter& counter() const noexcept { return counter_; }

 private:
  friend struct ForkGuard;
  std::mutex mutex_;
  StoreFile file_;
  ChangeCounter counter_;
};

/// Closes the store and takes it off the list.
struct CloseStore {
  void operator()(OpenStore* store) const noexcept;
};
using OpenStorePtr = std::unique_ptr<OpenStore, CloseStore>;

/// Opens the store in `directory` and lists it. Around every fork() of the process all listed stores are locked, so
/// that the child's copy is at rest. SQLite counts its locks of a file once for the whole process (unixInodeInfo) and
/// those counts are wrong in a child; therefore the first opening in a child closes what was inherited, which resets
/// them. locking_impossible for the second copy of the module in a process (database/earlier_copy.h); errors as
/// StoreFile::open.
Result<OpenStorePtr> open_store(const std::filesystem::path& directory);

}  // namespace cardea::keystore
