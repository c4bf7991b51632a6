#include "domain/ca_retry.h"

#include <fmt/format.h>

#include <charconv>

namespace cardea::manager {
namespace {

constexpr std::size_t most_waits = 100;
constexpr std::int64_t longest_wait = 30LL * 24 * 3600;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

Error bad_schedule(std::string why) {
  return error(Code::arguments_bad, fmt::format("the retry schedule is not understood: {}; an example is {}",
                                                std::move(why), RetrySchedule::standard));
}

Result<std::int64_t> seconds_of(std::string_view part) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(part.data(), part.data() + part.size(), value);
  if (part.empty() || problem != std::errc() || end != part.data() + part.size() || value < 0) {
    return bad_schedule(fmt::format("'{}' is no number of seconds", part));
  }
  if (value > longest_wait) return bad_schedule(fmt::format("{} seconds are more than 30 days", value));
  return value;
}

}  // namespace

Result<RetrySchedule> RetrySchedule::parse(std::string_view text) {
  RetrySchedule schedule;
  while (true) {
    const std::size_t end = std::min(text.find(';'), text.size());
    CARDEA_ASSIGN(const std::int64_t value, seconds_of(trimmed(text.substr(0, end))));
    const bool last = end == text.size();
    if (value == 0) {
      if (!last) return bad_schedule("0 stands before the end");
      schedule.ends_ = true;
    } else {
      schedule.waits_.emplace_back(value);
    }
    if (schedule.waits_.size() > most_waits) return bad_schedule("there are more than 100 waiting times");
    if (last) return schedule;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::chrono::seconds> RetrySchedule::wait_after(std::size_t failures) const {
  if (waits_.empty()) return {};
  if (failures > waits_.size()) return ends_ ? std::nullopt : std::optional(waits_.back());
  return waits_[failures == 0 ? 0 : failures - 1];
}

std::string RetrySchedule::text() const {
  std::string result;
  for (const std::chrono::seconds wait : waits_) result += fmt::format("{}{}", result.empty() ? "" : ";", wait.count());
  if (ends_) result += result.empty() ? "0" : ";0";
  return result;
}

}  // namespace cardea::manager
