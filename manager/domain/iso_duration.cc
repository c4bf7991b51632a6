#include "domain/iso_duration.h"

#include <fmt/format.h>

#include <charconv>

namespace cardea::manager {
namespace {

constexpr std::int64_t longest = 100LL * 366 * 24 * 3600;

Error no_duration(std::string_view text) {
  return error(
      Code::arguments_bad,
      fmt::format("'{}' is no duration from a second to 100 years in ISO 8601; examples are P1Y, P90D and PT12H",
                  text));
}

// Takes "12Y" off the front: the number and its letter.
bool take_part(std::string_view& text, std::int64_t& number, char& unit) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (problem != std::errc() || number < 0 || number > longest || used == text.size() || used == 0) return false;
  unit = text[used];
  text.remove_prefix(used + 1);
  return true;
}

// Each letter once and in the order of the standard; `order` holds what may still come.
bool add_part(IsoDuration& out, std::string_view& order, char unit, std::int64_t number, bool time) {
  const std::size_t at = order.find(unit);
  if (at == std::string_view::npos) return false;
  order.remove_prefix(at + 1);
  constexpr std::int64_t most_months = 1200;
  const bool calendar = !time && (unit == 'Y' || unit == 'M');
  if (calendar && number > most_months) return false;
  if (unit == 'Y') out.months += static_cast<std::int32_t>(number * 12);
  if (unit == 'M' && !time) out.months += static_cast<std::int32_t>(number);
  if (unit == 'W') out.days += number * 7;
  if (unit == 'D') out.days += number;
  if (unit == 'H') out.seconds += number * 3600;
  if (unit == 'M' && time) out.seconds += number * 60;
  if (unit == 'S') out.seconds += number;
  return true;
}

}  // namespace

Result<IsoDuration> IsoDuration::parse(std::string_view text) {
  IsoDuration result;
  std::string_view rest = text;
  if (!rest.starts_with('P')) return no_duration(text);
  rest.remove_prefix(1);
  std::string_view order = "YMWD";
  bool time = false;
  if (rest.empty()) return no_duration(text);
  while (!rest.empty()) {
    if (!time && rest.starts_with('T')) {
      rest.remove_prefix(1);
      time = true;
      order = "HMS";
      if (rest.empty()) return no_duration(text);
    }
    std::int64_t number = 0;
    char unit = 0;
    if (!take_part(rest, number, unit) || !add_part(result, order, unit, number, time)) return no_duration(text);
  }
  // Days are bounded before they are multiplied.
  const bool bounded = result.days <= longest / 86400 && result.months <= 1200;
  if (!bounded || result.about().count() <= 0 || result.about().count() > longest) return no_duration(text);
  return result;
}

std::chrono::sys_seconds IsoDuration::after(std::chrono::sys_seconds from) const {
  using namespace std::chrono;
  const auto midnight = floor<std::chrono::days>(from);
  year_month_day date = year_month_day{midnight} + std::chrono::months(months);
  if (!date.ok()) date = date.year() / date.month() / last;
  return sys_days{date} + (from - midnight) + std::chrono::days(days) + std::chrono::seconds(seconds);
}

std::chrono::seconds IsoDuration::about() const {
  const std::int64_t whole_days = months / 12 * 365LL + months % 12 * 30LL + days;
  return std::chrono::seconds(whole_days * 86400 + seconds);
}

}  // namespace cardea::manager
