#include "http/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>

#include "base/wiping_memory.h"
#include "crypto/digest.h"
#include "domain/outside_text.h"
#include "http/services.h"

namespace cardea::http {

namespace json = boost::json;
using manager::Time;

const manager::Ports& RequestContext::ports() const {
  return services.ports;
}

const std::string& RequestContext::part(std::string_view name) const {
  static const std::string& none = *new std::string;
  const auto found = std::ranges::find(path, name, [](const auto& pair) { return pair.first; });
  return found == path.end() ? none : found->second;
}

Result<manager::Id> RequestContext::id_part(std::string_view name) const {
  const std::string& text = part(name);
  manager::Id id = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (failed == std::errc() && end == text.data() + text.size() && id > 0) return id;
  return error(Code::not_found, fmt::format("'{}' is no number of anything here", manager::kept_text(text, 64)));
}

Result<json::object> RequestContext::body() const {
  if (request.body.empty()) return json::object{};
  return parse_object(request.body, takes_secret ? wiping_memory() : boost::json::storage_ptr());
}

std::string RequestContext::query_text(std::string_view name, std::size_t max) {
  asked_.emplace_back(name);
  const auto value = request.parameter(name);
  if (!value) return {};
  if (value->size() <= max) return std::string(*value);
  errors.push_back({fmt::format("?{}", name), fmt::format("It may have at most {} bytes.", max)});
  return {};
}

std::optional<std::int64_t> RequestContext::query_number(std::string_view name, std::int64_t least, std::int64_t most) {
  const std::string text = query_text(name);
  if (text.empty()) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc() && end == text.data() + text.size() && number >= least && number <= most) return number;
  errors.push_back({fmt::format("?{}", name), fmt::format("It must be a whole number from {} to {}.", least, most)});
  return std::nullopt;
}

std::optional<Time> RequestContext::query_time(std::string_view name) {
  const std::string text = query_text(name);
  if (text.empty()) return std::nullopt;
  if (const auto time = parse_time(text)) return time;
  errors.push_back({fmt::format("?{}", name), "It must be a time like 2026-11-20T21:50:00Z."});
  return std::nullopt;
}

bool RequestContext::query_flag(std::string_view name) {
  const std::string text = query_text(name);
  if (text.empty() || text == "false") return false;
  if (text == "true") return true;
  errors.push_back({fmt::format("?{}", name), "It must be true or false."});
  return false;
}

manager::Filter RequestContext::query_filter() {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  manager::Filter filter;
  filter.text = query_text("q");
  filter.state = query_text("state");
  filter.kind = query_text("kind");
  filter.person = query_number("person", 1, largest);
  filter.token = query_number("token", 1, largest);
  filter.ca = query_number("ca", 1, largest);
  filter.request = query_number("request", 1, largest);
  filter.from = query_time("from");
  filter.to = query_time("to");
  filter.cursor = query_text("cursor", 1024);
  filter.limit = static_cast<std::size_t>(query_number("limit", 1, 1000).value_or(50));
  return filter;
}

Status RequestContext::query_done() {
  for (const auto& [name, value] : request.query) {
    if (std::ranges::find(asked_, name) == asked_.end())
      errors.push_back({fmt::format("?{}", manager::kept_text(name, 64)), "This parameter is not known here."});
  }
  if (errors.empty()) return {};
  return error(Code::data_invalid, fmt::format("{}: {}", errors.front().pointer, errors.front().detail));
}

Status RequestContext::if_match(const json::object& current) const {
  const auto wanted = request.header("If-Match");
  if (!wanted || *wanted == "*" || wanted->find(etag(current)) != std::string_view::npos) return {};
  return error(Code::key_changed, "it was changed since you read it; read it again, then change what is there now");
}

HttpResponse json_answer(const json::object& body, unsigned status) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = json::serialize(body);
  return response;
}

HttpResponse entity_answer(const json::object& body, unsigned status) {
  HttpResponse response = json_answer(body, status);
  response.headers.emplace_back("ETag", etag(body));
  return response;
}

HttpResponse created(std::string_view location, const json::object& body) {
  HttpResponse response = entity_answer(body, 201);
  response.headers.emplace_back("Location", location);
  return response;
}

HttpResponse no_content() {
  HttpResponse response;
  response.status = 204;
  return response;
}

std::string etag(const json::object& body) {
  const auto hash = crypto::digest(Hash::sha256, view_of(json::serialize(body)));
  return hash ? fmt::format("\"{}\"", to_hex(ByteView(*hash).first(16))) : std::string("\"\"");
}

std::string format_time(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::optional<Time> parse_time(std::string_view text) {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int used = 0;
  const std::string copy(text);
  if (copy.size() != 20 ||
      std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2u:%2u:%2uZ%n", &year, &month, &day, &hour, &minute, &second, &used) != 6)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (used != 20 || !date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const Time time = std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                    std::chrono::seconds(second);
  // sscanf takes signs and blanks for digits.
  return format_time(time) == text ? std::optional(time) : std::nullopt;
}

}  // namespace cardea::http
