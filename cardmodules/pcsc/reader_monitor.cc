#include "pcsc/reader_monitor.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

#include "base/signals_blocked.h"
#include "pcsc/reader_watch.h"

namespace cardea::card {
namespace {

constexpr std::chrono::milliseconds service_is_looked_for{300};
constexpr std::chrono::milliseconds longest_wait{30'000};
// A service that does not count its readers' comings and goings cannot tell of one between a look and the wait after
// it.
constexpr std::chrono::milliseconds longest_wait_uncounted{1000};
constexpr std::chrono::milliseconds longest_farewell{2000};
constexpr std::chrono::milliseconds between_cancels{20};

/// What makes a difference to who listens; whether others use a card does not.
std::string signature(const ReaderList& list) {
  std::string text = list.service;
  for (const SeenReader& reader : list.readers) {
    text += '\n' + reader.name + '\t' + std::to_string(reader.events());
    text += reader.has_card() ? "+" : "-";
    if ((reader.state & SCARD_STATE_MUTE) != 0) text += "mute";
  }
  return text;
}

}  // namespace

struct ReaderMonitor::State {
  std::function<Result<const PcscApi*>()> api;
  std::function<void()> listener;
  ReaderWatch watch;
  std::mutex mutex;
  std::condition_variable changed;
  bool ending = false;  // under the mutex
  bool ended = false;   // the same
  std::string known;    // of the thread alone
  bool looked = false;

  void serve();
  bool rest(std::chrono::milliseconds time);
  void tell_if_changed(const std::string& now);
  bool is_ending();
};

bool ReaderMonitor::State::is_ending() {
  const std::lock_guard lock(mutex);
  return ending;
}

bool ReaderMonitor::State::rest(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex);
  return !changed.wait_for(lock, time, [this] { return ending; });
}

void ReaderMonitor::State::tell_if_changed(const std::string& now) {
  if (std::exchange(looked, true) && now == known) return;
  known = now;
  if (!is_ending()) listener();
}

void ReaderMonitor::State::serve() {
  while (!is_ending()) {
    const Result<const PcscApi*> functions = api();
    const Result<ReaderList> list = functions ? watch.look(**functions) : Result<ReaderList>(functions.error());
    tell_if_changed(list ? signature(*list) : std::string());
    const auto at_most = watch.readers_are_counted() ? longest_wait : longest_wait_uncounted;
    const bool watching = list && !is_ending() && watch.wait(*list, at_most);
    if (!watching) {
      watch.release();
      rest(service_is_looked_for);
    }
  }
  watch.release();
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

ReaderMonitor::ReaderMonitor(std::function<Result<const PcscApi*>()> api, std::function<void()> listener)
    : state_(std::make_shared<State>()), canceller_(between_cancels, {}) {
  state_->api = std::move(api);
  state_->listener = std::move(listener);
  const SignalsBlocked blocked;
  try {
    thread_ = std::thread([state = state_] { state->serve(); });
  } catch (const std::system_error&) {
    state_->ended = true;  // nobody is told; list() still shows what there is
  }
}

ReaderMonitor::~ReaderMonitor() {
  State& state = *state_;
  const auto deadline = BoundedWorker::Clock::now() + longest_farewell;
  std::unique_lock lock(state.mutex);
  state.ending = true;
  state.changed.notify_all();
  // PC/SC-lite forgets a cancellation that comes before the wait has begun, so it is repeated.
  while (!state.changed.wait_for(lock, between_cancels, [&] { return state.ended; })) {
    if (BoundedWorker::Clock::now() >= deadline) break;
    lock.unlock();
    static_cast<void>(canceller_.run(deadline, [shared = state_] { shared->watch.cancel(); }, {}));
    lock.lock();
  }
  const bool ended = state.ended;
  lock.unlock();
  if (!thread_.joinable()) return;
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

}  // namespace cardea::card
