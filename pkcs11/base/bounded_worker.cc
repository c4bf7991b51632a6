#include "base/bounded_worker.h"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/signals_blocked.h"

namespace cardea {
namespace {

constexpr std::chrono::milliseconds longest_farewell{300};

struct Assignment {
  enum class Phase { waiting, finished, abandoned } phase = Phase::waiting;
  BoundedWorker::Call work;
  BoundedWorker::Call undo;
};

}  // namespace

struct BoundedWorker::State : std::enable_shared_from_this<State> {
  State(std::chrono::milliseconds idle_time, Call rest) : idle(idle_time), at_rest(std::move(rest)) {}

  const std::chrono::milliseconds idle;
  const Call at_rest;
  std::mutex mutex;
  std::condition_variable changed;
  std::shared_ptr<Assignment> next;  // all from here on under the mutex
  std::thread thread;
  bool busy = false;
  bool alive = false;
  bool ending = false;

  bool start();
  void serve();
  void do_next(std::unique_lock<std::mutex>& lock);
};

bool BoundedWorker::State::start() {
  if (thread.joinable()) thread.join();  // it has left serve(), so this does not wait
  const SignalsBlocked blocked;
  try {
    thread = std::thread([self = shared_from_this()] { self->serve(); });
  } catch (const std::system_error&) {
    return false;
  }
  alive = true;
  return true;
}

void BoundedWorker::State::serve() {
  std::unique_lock lock(mutex);
  while (changed.wait_for(lock, idle, [this] { return next || ending; }) && next) do_next(lock);
  busy = true;
  lock.unlock();
  if (at_rest) at_rest();
  lock.lock();
  busy = false;
  alive = false;
  changed.notify_all();
}

void BoundedWorker::State::do_next(std::unique_lock<std::mutex>& lock) {
  std::shared_ptr<Assignment> assignment = std::move(next);
  next.reset();
  busy = true;
  lock.unlock();
  assignment->work();
  lock.lock();
  if (assignment->phase == Assignment::Phase::abandoned) {
    lock.unlock();
    if (assignment->undo) assignment->undo();
    lock.lock();
  }
  assignment->phase = Assignment::Phase::finished;
  busy = false;
  changed.notify_all();
}

BoundedWorker::BoundedWorker(std::chrono::milliseconds idle, Call at_rest)
    : state_(std::make_shared<State>(idle, std::move(at_rest))) {}

BoundedWorker::~BoundedWorker() {
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
  const bool ended = state_->changed.wait_for(lock, longest_farewell, [this] { return !state_->alive; });
  std::thread thread = std::move(state_->thread);
  lock.unlock();
  if (!thread.joinable()) return;
  if (ended) {
    thread.join();
  } else {
    thread.detach();
  }
}

Status BoundedWorker::run(Clock::time_point deadline, Call work, Call undo) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (!state.changed.wait_until(lock, deadline, [&] { return !state.busy && !state.next; }))
    return error(Code::timed_out, "an earlier call to the service has not come back");
  const auto assignment = std::make_shared<Assignment>();
  assignment->work = std::move(work);
  assignment->undo = std::move(undo);
  if (!state.alive && !state.start()) return error(Code::host_memory, "no thread can be started");
  state.next = assignment;
  state.changed.notify_all();
  if (state.changed.wait_until(lock, deadline, [&] { return assignment->phase == Assignment::Phase::finished; }))
    return {};
  if (state.next == assignment) {
    state.next.reset();
  } else {
    assignment->phase = Assignment::Phase::abandoned;
  }
  return error(Code::timed_out, "the service did not answer in time");
}

}  // namespace cardea
