// Durations as ISO 8601 writes them: "P1Y", "P90D", "P1Y6M", "PT12H".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cardea::manager {

/// Years and months keep their calendar meaning until they are added to a time.
struct IsoDuration {
  std::int32_t months = 0;  ///< years are twelve
  std::int64_t days = 0;    ///< weeks are seven
  std::int64_t seconds = 0;

  /// arguments_bad for what is no duration, is zero, negative, has fractions, or is longer than 100 years.
  static Result<IsoDuration> parse(std::string_view text);
  /// The time so much later; the last day of a month stays one: 31 January and a month is 28 or 29 February.
  std::chrono::sys_seconds after(std::chrono::sys_seconds from) const;
  /// With months of 30 and years of 365 days, for showing and comparing.
  std::chrono::seconds about() const;
  bool operator==(const IsoDuration&) const = default;
};

}  // namespace cardea::manager
