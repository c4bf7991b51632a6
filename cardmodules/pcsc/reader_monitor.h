// A thread that waits for readers and cards to come and go, while somebody listens.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "base/bounded_worker.h"
#include "pcsc/pcsc_api.h"

namespace cardea::card {

class ReaderMonitor {
 public:
  /// Starts the thread. `api` finds the functions again and again until there is a service to talk to. `listener` is
  /// called first after the first look.
  ReaderMonitor(std::function<Result<const PcscApi*>()> api, std::function<void()> listener);
  /// Ends the thread, within two seconds; one that the service holds longer is left to end by itself.
  ~ReaderMonitor();
  ReaderMonitor(const ReaderMonitor&) = delete;
  ReaderMonitor& operator=(const ReaderMonitor&) = delete;

 private:
  struct State;
  const std::shared_ptr<State> state_;
  std::thread thread_;
  BoundedWorker canceller_;
};

}  // namespace cardea::card
