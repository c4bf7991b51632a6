// A counter that all processes of a store share in memory, so that "has anything changed?" costs one load.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>

namespace cardea::keystore {

/// Even: nothing is being written, and the value stands for a state of the store. Odd: a writer is committing, or was
/// killed while it did; only the database itself can tell then. Writers are serialised by SQLite's write lock.
///
/// The file must never be shortened or replaced while the store is in use; nothing of ours does.
class ChangeCounter {
 public:
  static constexpr std::uint64_t unknown = 1;  ///< what read() answers without a file: odd, so the database is asked

  ChangeCounter() = default;
  ChangeCounter(ChangeCounter&& other) noexcept;
  ChangeCounter& operator=(ChangeCounter&& other) noexcept;
  ChangeCounter(const ChangeCounter&) = delete;
  ChangeCounter& operator=(const ChangeCounter&) = delete;
  ~ChangeCounter();

  /// Maps the file, which is made when `writable` and absent. Without it (read-only home, full disk) the counter stays
  /// unknown, which is correct and slower.
  static ChangeCounter open(const std::filesystem::path& file, bool writable);

  std::uint64_t read() const noexcept { return value_ == nullptr ? unknown : value_->load(std::memory_order_acquire); }
  bool mapped() const noexcept { return value_ != nullptr; }

  /// Before a commit, with the write lock held: makes it odd, and different from what a killed writer left.
  std::uint64_t begin_write() noexcept;
  /// After the commit or rollback, when others may be writing again: `odd` becomes the even value after it, unless
  /// another writer has raised the counter since; that writer publishes then.
  void end_write(std::uint64_t odd) noexcept;

 private:
  std::atomic<std::uint64_t>* value_ = nullptr;
};

}  // namespace cardea::keystore
