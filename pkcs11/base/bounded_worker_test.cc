#include "base/bounded_worker.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

using namespace cardea;
using namespace cardea;
using namespace std::chrono_literals;

namespace {

constexpr auto long_enough = 10s;

BoundedWorker::Clock::time_point in(std::chrono::milliseconds time) {
  return BoundedWorker::Clock::now() + time;
}

/// Something to be held up by, and to be told of the end.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool pass() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, long_enough, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// Leaves the worker held up in a call until the gate opens.
void hold_up(BoundedWorker& worker, const std::shared_ptr<Gate>& gate, BoundedWorker::Call undo = {}) {
  const auto begun = std::make_shared<std::atomic<bool>>(false);
  // On a busy machine a call may be too late to begin; then it never does.
  while (!*begun) {
    const Status late = worker.run(
        in(20ms),
        [gate, begun] {
          *begun = true;
          gate->pass();
        },
        undo);
    BOOST_REQUIRE(!late.ok());
    BOOST_TEST(name(late.code()) == "timed_out");
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bounded_worker)

BOOST_AUTO_TEST_CASE(a_call_in_time_is_waited_for_and_not_undone) {
  BoundedWorker worker(1s, {});
  bool done = false;
  bool undone = false;
  BOOST_TEST(worker
                 .run(
                     in(long_enough), [&] { done = true; }, [&] { undone = true; })
                 .ok());
  BOOST_TEST(done);
  BOOST_TEST(!undone);
}

BOOST_AUTO_TEST_CASE(a_late_call_is_left_and_undone_when_it_ends) {
  const auto gate = std::make_shared<Gate>();
  const auto undone = std::make_shared<Gate>();
  BoundedWorker worker(1s, {});
  hold_up(worker, gate, [undone] { undone->open(); });
  gate->open();
  BOOST_TEST(undone->pass());
}

BOOST_AUTO_TEST_CASE(what_did_not_begin_in_time_never_does) {
  const auto gate = std::make_shared<Gate>();
  const auto second = std::make_shared<std::atomic<bool>>(false);
  BoundedWorker worker(1s, {});
  hold_up(worker, gate);
  BOOST_TEST(!worker
                  .run(
                      in(10ms), [second] { *second = true; }, [second] { *second = true; })
                  .ok());
  gate->open();
  BOOST_TEST(worker.run(in(long_enough), [] {}, {}).ok());
  BOOST_TEST(!second->load());
}

BOOST_AUTO_TEST_CASE(it_works_again_after_a_late_call_and_after_a_rest) {
  const auto rests = std::make_shared<std::atomic<int>>(0);
  BoundedWorker worker(1ms, [rests] { ++*rests; });
  for (int round = 1; round <= 20; ++round) {
    BOOST_TEST(worker.run(in(long_enough), [] {}, {}).ok());
    const auto deadline = in(long_enough);
    while (*rests < round && BoundedWorker::Clock::now() < deadline) std::this_thread::sleep_for(1ms);
    BOOST_TEST(rests->load() == round);
  }
}

BOOST_AUTO_TEST_CASE(it_rests_at_its_end_too) {
  const auto rested = std::make_shared<std::atomic<bool>>(false);
  {
    BoundedWorker worker(1h, [rested] { *rested = true; });
    BOOST_TEST(worker.run(in(long_enough), [] {}, {}).ok());
  }
  BOOST_TEST(rested->load());
}

BOOST_AUTO_TEST_CASE(a_held_up_thread_outlives_it_and_still_rests) {
  const auto gate = std::make_shared<Gate>();
  const auto rested = std::make_shared<Gate>();
  {
    BoundedWorker worker(1h, [rested] { rested->open(); });
    hold_up(worker, gate);
  }
  gate->open();
  BOOST_TEST(rested->pass());
}

BOOST_AUTO_TEST_CASE(calls_of_many_threads_run_one_after_the_other) {
  BoundedWorker worker(1ms, {});
  int count = 0;  // not atomic: the worker's own order is what protects it
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < 100; ++call) failures += worker.run(in(long_enough), [&] { ++count; }, {}) ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(failures == 0);
  BOOST_TEST(count == 400);
}

BOOST_AUTO_TEST_SUITE_END()
