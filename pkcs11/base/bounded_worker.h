// Calls that may never come back, made on a thread that may be left behind. PC/SC has no time-outs of its own: a
// foreign transaction, a mute card or a stopped service holds whoever asks. Nor have most ways to a TPM.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/result.h"

namespace cardea {

/// One thread that runs calls one after the other. It starts with the first call and ends after some time without one.
/// Thread-safe. All that a call touches it must own (shared), since it may outlive whoever asked for it and this
/// object.
class BoundedWorker {
 public:
  using Clock = std::chrono::steady_clock;
  using Call = std::function<void()>;

  /// `at_rest` runs on the thread before it ends, after `idle` without a call or when the worker is destroyed.
  BoundedWorker(std::chrono::milliseconds idle, Call at_rest);
  /// Waits a moment for the thread. One that is held in a call is left to end by itself.
  ~BoundedWorker();
  BoundedWorker(const BoundedWorker&) = delete;
  BoundedWorker& operator=(const BoundedWorker&) = delete;

  /// Runs `work`. timed_out when it has not ended by the deadline, or could not begin because an earlier call has not
  /// ended; in the first case `undo` runs after it, in the second neither ever does. host_memory when there is no
  /// thread to be had.
  Status run(Clock::time_point deadline, Call work, Call undo);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace cardea
