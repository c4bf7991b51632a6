// Timing on a machine that does other things too: contenders take turns in short slices and medians are compared, so
// that a slow moment hits all of them alike.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

namespace cardea::bench {

/// One unit of what is timed.
using Work = std::function<void()>;

/// How long to measure.
struct Effort {
  int rounds = 21;
  std::chrono::microseconds slice{20000};
};

double median(std::vector<double> values);

/// Rates of contenders that took turns.
struct Contest {
  std::vector<double> rate;   ///< median units per second, one a contender
  std::vector<double> ratio;  ///< median over the rounds of rate / rate of the first contender in the same round
};
Contest compete(const std::vector<Work>& contenders, const Effort& effort);

/// How much more two threads do than one: median over rounds in which both ways take turns. Each Work runs in its own
/// thread and must not share a session with the other.
double gain_of_two_threads(const Work& first, const Work& second, const Effort& effort);

/// Median seconds of one unit, timed one by one.
double seconds_each(const Work& work, int times);

/// Processor seconds of this thread for one unit, on average over many: what a busy machine does not disturb much.
double processor_seconds_each(const Work& work, int times);

/// Units per second of work that is done a fixed number of times.
double rate_of(const Work& work, int times);

}  // namespace cardea::bench
