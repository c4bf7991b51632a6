#include "domain/time_seen.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "domain/audit_log.h"

namespace cardea::manager {
namespace {

constexpr std::string_view highest_time = "highest_time_seen";
constexpr std::string_view told_time = "clock_set_back_told";

Result<Time> time_seen(Transaction& store) {
  CARDEA_ASSIGN(const auto kept, store.setting(highest_time));
  std::int64_t seen = 0;
  if (kept) std::from_chars(kept->data(), kept->data() + kept->size(), seen);
  return Time{std::chrono::seconds(seen)};
}

std::string text_of_time(Time time) {
  return std::to_string(time.time_since_epoch().count());
}

}  // namespace

Result<Time> latest_time(Transaction& store, const Clock& clock) {
  CARDEA_ASSIGN(const Time seen, time_seen(store));
  return std::max(seen, clock.now());
}

Status remember_time(Transaction& store, Time now) {
  CARDEA_ASSIGN(const Time seen, time_seen(store));
  return now > seen ? store.put_setting(highest_time, text_of_time(now)) : Status();
}

Result<std::chrono::seconds> watch_clock(const Ports& ports) {
  std::chrono::seconds behind{0};
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    const Time now = ports.clock.now();
    CARDEA_ASSIGN(const Time seen, time_seen(store));
    behind = seen - now > tolerated_skew ? seen - now : std::chrono::seconds(0);
    if (behind.count() == 0) return remember_time(store, now);
    // Told once: as long as the clock stays behind, every further round finds the same mark.
    const std::string mark = text_of_time(seen);
    CARDEA_ASSIGN(const auto told, store.setting(told_time));
    if (told == mark) return {};
    CARDEA_TRY(store.put_setting(told_time, mark));
    return audit(store, manager_actor(), now, AuditAction::clock_set_back, "manager", {{"seconds", behind.count()}});
  }));
  return behind;
}

Status accept_clock(const Ports& ports, const Actor& actor) {
  return ports.store.transact([&](Transaction& store) -> Status {
    const Time now = ports.clock.now();
    CARDEA_ASSIGN(const Time seen, time_seen(store));
    CARDEA_TRY(store.put_setting(highest_time, text_of_time(now)));
    return audit(store, actor, now, AuditAction::clock_accepted, "manager", {{"seconds", (seen - now).count()}});
  });
}

}  // namespace cardea::manager
