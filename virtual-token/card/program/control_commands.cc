// The commands of the control socket (docs/virtual-cards.md).
#include <boost/json.hpp>
#include <charconv>

#include "card_program/card_service.h"

namespace cardea::vcard {

namespace json = boost::json;

namespace {

constexpr int longest_delay_ms = 60000;

std::string done() {
  return json::serialize(json::object{{"ok", true}});
}

std::string refused(std::string_view why) {
  return json::serialize(json::object{{"ok", false}, {"error", why}});
}

std::pair<std::string_view, std::string_view> split(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return {line, {}};
  return {line.substr(0, space), line.substr(space + 1)};
}

}  // namespace

std::string CardService::control(std::string_view line) {
  const auto [word, rest] = split(line);
  if (word == "status") return report();
  if (word == "count") return json::serialize(json::object{{"ok", true}, {"apdus", channel_.count()}});
  if (word == "log" && rest.empty()) return show_log();
  if (word == "log" && rest == "clear") {
    channel_.log().clear();
    return done();
  }
  if (word == "fault") {
    const auto fault = parse_fault(rest);
    if (!fault) return refused(describe(fault.error()));
    channel_.add_fault(*fault);
    return done();
  }
  if (word == "touch") return touch() ? done() : refused("no key waits for a touch");
  if (word == "insert" || word == "remove" || word == "reset" || word == "clear" || word == "quit") {
    if (word == "insert") insert();
    if (word == "remove") remove();
    if (word == "reset") card_.reset();
    if (word == "clear") channel_.clear_faults();
    if (word == "quit") stop_ = true;
    return done();
  }
  return set(word, rest) ? done() : refused("unknown command; see cardea-vcard(1)");
}

// "delay MS", "short on", "exact off".
bool CardService::set(std::string_view what, std::string_view value) {
  if (what == "delay") {
    int milliseconds = -1;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), milliseconds);
    const bool whole = failure == std::errc() && end == value.data() + value.size();
    if (!whole || milliseconds < 0 || milliseconds > longest_delay_ms) return false;
    options_.delay = std::chrono::milliseconds(milliseconds);
    return true;
  }
  if (value != "on" && value != "off") return false;
  if (what == "short") {
    card_.set_short_only(value == "on");
  } else if (what == "exact") {
    card_.set_exact_length(value == "on");
  } else {
    return false;
  }
  return true;
}

std::string CardService::report() const {
  return json::serialize(json::object{{"ok", true},
                                      {"inserted", inserted_},
                                      {"connected", reader_.connected()},
                                      {"powered", powered_},
                                      {"waits_for_touch", held_.has_value()},
                                      {"apdus", channel_.count()},
                                      {"atr", to_hex(card_.atr())}});
}

std::string CardService::show_log() {
  json::array exchanges;
  for (const LoggedExchange& exchange : channel_.log().exchanges()) {
    exchanges.push_back(json::object{{"command", exchange.command}, {"response", exchange.response}});
  }
  return json::serialize(json::object{{"ok", true}, {"log", std::move(exchanges)}});
}

}  // namespace cardea::vcard
