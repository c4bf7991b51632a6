// Writers in a row, committed in groups: who comes while a commit is under way waits for the next one, which takes all
// that have gathered. The one at the front runs the group on its own thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
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
    Waiting self;
    self.item.work = &work;
    std::unique_lock lock(mutex_);
    waiting_.push_back(&self);
    if (leading_) self.called.wait(lock, [&] { return self.done || self.leads; });
    if (self.done) return std::move(self.item.status);
    leading_ = true;
    lead(lock);
    return std::move(self.item.status);
  }

 private:
  // Bounds how long the first of a group waits for the last.
  static constexpr std::size_t largest_group = 256;

  struct Waiting {
    Item item;
    bool done = false;
    bool leads = false;
    std::condition_variable called;
  };

  void lead(std::unique_lock<std::mutex>& lock) {
    const std::size_t count = std::min(waiting_.size(), largest_group);
    const std::vector<Waiting*> group(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    std::vector<Item*> items;
    for (Waiting* one : group) items.push_back(&one->item);
    lock.unlock();
    commit_(items);
    lock.lock();
    // Called while the lock is held: whoever wakes and is gone was not touched after it could leave.
    for (Waiting* one : group) {
      one->done = true;
      one->called.notify_one();
    }
    leading_ = !waiting_.empty();
    if (!leading_) return;
    waiting_.front()->leads = true;
    waiting_.front()->called.notify_one();
  }

  Commit commit_;
  std::mutex mutex_;
  std::deque<Waiting*> waiting_;
  bool leading_ = false;
};

}  // namespace cardea::manager::store
