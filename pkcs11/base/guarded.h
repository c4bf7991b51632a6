// State shared between threads, reachable only while its lock is held.
#pragma once

#include <mutex>
#include <shared_mutex>
#include <utility>

namespace cardea {

/// A value with its mutex. `with(f)` calls f(value) under the lock and returns what f returns. Keep private-key
/// arithmetic and card I/O out of f.
template <class T, class Mutex = std::mutex>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  template <class F>
  decltype(auto) with(F&& f) {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(f)(value_);
  }

  /// For reading only; with a std::shared_mutex several readers at once.
  template <class F>
  decltype(auto) read(F&& f) const {
    if constexpr (requires(Mutex & m) { m.lock_shared(); }) {
      const std::shared_lock lock(mutex_);
      return std::forward<F>(f)(std::as_const(value_));
    } else {
      const std::lock_guard lock(mutex_);
      return std::forward<F>(f)(std::as_const(value_));
    }
  }

 private:
  mutable Mutex mutex_;
  T value_;
};

template <class T>
using SharedGuarded = Guarded<T, std::shared_mutex>;

}  // namespace cardea
