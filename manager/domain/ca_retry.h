// When a certification authority that did not answer, or has not decided, is asked again (requirements row C3).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cardea::manager {

/// Waiting times one after the other; the last repeats for ever unless the schedule ends.
class RetrySchedule {
 public:
  /// The default: soon at first, daily in the end, then no more.
  static constexpr std::string_view standard = "15;60;60;60;60;120;180;360;3600;86400;0";

  /// Seconds separated by semicolons; a last 0 means that it ends there. arguments_bad in words: nothing, no number, 0
  /// before the end, more than 30 days, more than 100 times.
  static Result<RetrySchedule> parse(std::string_view text);

  /// How long to wait after `failures` attempts failed (1 or more); empty: no further attempt.
  std::optional<std::chrono::seconds> wait_after(std::size_t failures) const;
  /// In the form that parse reads.
  std::string text() const;

 private:
  std::vector<std::chrono::seconds> waits_;
  bool ends_ = false;
};

}  // namespace cardea::manager
