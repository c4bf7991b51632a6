#include "bench/measure.h"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <thread>

namespace cardea::bench {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

namespace {

// Units per second during one slice. The clock is read only once in a while, so that it does not cost what it measures.
double run_slice(const Work& work, std::chrono::microseconds slice, std::size_t batch) {
  const auto start = Clock::now();
  const auto end = start + slice;
  std::size_t done = 0;
  Clock::time_point now;
  do {
    for (std::size_t i = 0; i < batch; ++i) work();
    done += batch;
    now = Clock::now();
  } while (now < end);
  return static_cast<double>(done) / Seconds(now - start).count();
}

// Units between two looks at the clock: about a twentieth of a slice. Also warms caches up.
std::size_t batch_for(const Work& work, std::chrono::microseconds slice) {
  const double rate = run_slice(work, slice, 1);
  return std::max<std::size_t>(1, static_cast<std::size_t>(rate * Seconds(slice).count() / 20));
}

}  // namespace

Contest compete(const std::vector<Work>& contenders, const Effort& effort) {
  const std::size_t count = contenders.size();
  std::vector<std::size_t> batches;
  for (const Work& work : contenders) batches.push_back(batch_for(work, effort.slice));
  std::vector<std::vector<double>> rates(count), ratios(count);
  for (int round = 0; round < effort.rounds; ++round) {
    std::vector<double> now(count);
    for (std::size_t turn = 0; turn < count; ++turn) {
      const std::size_t who = (turn + static_cast<std::size_t>(round)) % count;
      now[who] = run_slice(contenders[who], effort.slice, batches[who]);
    }
    for (std::size_t who = 0; who < count; ++who) {
      rates[who].push_back(now[who]);
      ratios[who].push_back(now[who] / now[0]);
    }
  }
  Contest contest;
  for (std::size_t who = 0; who < count; ++who) {
    contest.rate.push_back(median(rates[who]));
    contest.ratio.push_back(median(ratios[who]));
  }
  return contest;
}

double gain_of_two_threads(const Work& first, const Work& second, const Effort& effort) {
  const std::size_t batch = batch_for(first, effort.slice);
  batch_for(second, effort.slice);
  std::vector<double> gains;
  for (int round = 0; round < effort.rounds; ++round) {
    const double alone = run_slice(round % 2 == 0 ? first : second, effort.slice, batch);
    std::latch together(2);
    double beside = 0;
    std::thread other([&] {
      together.arrive_and_wait();
      beside = run_slice(second, effort.slice, batch);
    });
    together.arrive_and_wait();
    const double own = run_slice(first, effort.slice, batch);
    other.join();
    gains.push_back((own + beside) / alone);
  }
  return median(gains);
}

double seconds_each(const Work& work, int times) {
  std::vector<double> seconds;
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    work();
    seconds.push_back(Seconds(Clock::now() - start).count());
  }
  return median(seconds);
}

double processor_seconds_each(const Work& work, int times) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  work();  // what is done only once is not what is asked for
  const double start = now();
  for (int i = 0; i < times; ++i) work();
  return (now() - start) / times;
}

double rate_of(const Work& work, int times) {
  const auto start = Clock::now();
  for (int i = 0; i < times; ++i) work();
  return times / Seconds(Clock::now() - start).count();
}

}  // namespace cardea::bench
