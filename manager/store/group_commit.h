// Writers in a row, committed in groups: who comes while a commit is under way waits for the next one, which takes all
// that have gathered. The one at the front runs the group on its own thread.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"

namespace cardea::manager::store {

template <class Work>
class GroupCommit {
 public:
  /// One piece of work and what became of it.
  struct Item {
    const Work* work = nullptr;
    Status status = {};
  };
  /// Does all of a group and gives each its status. Runs on one thread at a time.
  using Commit = std::function<void(std::span<Item* const>)>;

  explicit GroupCommit(Commit commit) : commit_(std::move(commit)) {}

  /// Returns when the group that `work` was in is done.
  Status run(const Work& work) {
    const auto self = std::make_shared<Waiting>();
    self->item.work = &work;
    {
      std::unique_lock lock(mutex_);
      waiting_.push_back(self);
      if (leading_) {
        lock.unlock();
        if (self->wait() == Called::done) return std::move(self->item.status);
        lock.lock();
      }
      leading_ = true;
      lead(lock);
    }
    return std::move(self->item.status);
  }

 private:
  // Bounds how long the first of a group waits for the last.
  static constexpr std::size_t largest_group = 256;

  enum class Called : std::uint8_t { no, to_lead, done };

  /// Each waits behind a lock of its own: woken all at once they would queue for a common one. Shared, because whoever
  /// calls still touches it when the one that was called may have left.
  struct Waiting {
    Item item;

    Called wait() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return called != Called::no; });
      return called;
    }
    void call(Called why) {
      {
        const std::lock_guard lock(mutex);
        called = why;
      }
      changed.notify_one();
    }

   private:
    std::mutex mutex;
    std::condition_variable changed;
    Called called = Called::no;
  };
  using Pointer = std::shared_ptr<Waiting>;

  void lead(std::unique_lock<std::mutex>& lock) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), largest_group));
    const std::vector<Pointer> group(waiting_.begin(), waiting_.begin() + count);
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    lock.unlock();
    std::vector<Item*> items;
    for (const Pointer& one : group) items.push_back(&one->item);
    commit_(items);
    lock.lock();
    leading_ = !waiting_.empty();
    const Pointer next = leading_ ? waiting_.front() : nullptr;
    lock.unlock();
    // The next group begins while the members of this one are told; the first of them is this thread.
    if (next) next->call(Called::to_lead);
    for (auto one = group.begin() + 1; one != group.end(); ++one) (*one)->call(Called::done);
  }

  Commit commit_;
  std::mutex mutex_;
  std::deque<Pointer> waiting_;
  bool leading_ = false;
};

}  // namespace cardea::manager::store
