// Connections for work that only reads.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "store/connection.h"

namespace cardea::manager::store {

/// Thread-safe.
class ReaderPool {
 public:
  ReaderPool(Place place, std::size_t most, std::chrono::milliseconds patience)
      : place_(std::move(place)), most_(most), patience_(patience) {}

  /// A connection whose schema fits, opened when none is free. timed_out when all are in use for too long; errors of
  /// opening one.
  Result<std::unique_ptr<Connection>> take();
  /// Every connection taken is given back, even one that is lost.
  void give_back(std::unique_ptr<Connection> connection, bool usable);

 private:
  const Place place_;
  const std::size_t most_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t in_use_ = 0;
};

}  // namespace cardea::manager::store
