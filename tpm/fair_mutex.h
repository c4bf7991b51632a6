// A lock that goes to those who wait for it in the order in which they came. With a common mutex the thread that has
// just let go is the first to take it again, and a second one waits for a tenth of a second for its turn at the TPM.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace cardea::tpm {

class FairMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = next_++;
    turn_.wait(lock, [&] { return ticket == served_; });
  }
  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      ++served_;
    }
    turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  std::uint64_t next_ = 0;
  std::uint64_t served_ = 0;
};

}  // namespace cardea::tpm
