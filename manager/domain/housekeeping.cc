#include "domain/housekeeping.h"

#include <fmt/format.h>

#include <charconv>

#include "domain/audit_log.h"
#include "domain/certificates.h"
#include "domain/open_issuances.h"
#include "domain/requests.h"

namespace cardea::manager {

namespace {

constexpr std::string_view highest_time = "highest_time_seen";
// Corrections by a time server are no reason for a warning.
constexpr auto tolerated = std::chrono::minutes(2);
constexpr std::size_t most_at_once = 1000;

Result<bool> clock_is_behind(const Ports& ports) {
  bool behind = false;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    behind = false;
    const Time now = ports.clock.now();
    CARDEA_ASSIGN(const auto kept, store.setting(highest_time));
    std::int64_t seen = 0;
    if (kept) std::from_chars(kept->data(), kept->data() + kept->size(), seen);
    const Time before{std::chrono::seconds(seen)};
    if (now > before) return store.put_setting(highest_time, std::to_string(now.time_since_epoch().count()));
    behind = now + tolerated < before;
    if (!behind) return {};
    // Told once: as long as the clock stays behind, every further round finds the same mark.
    const std::string mark = fmt::format("{}", seen);
    CARDEA_ASSIGN(const auto told, store.setting("clock_set_back_told"));
    if (told == mark) return {};
    CARDEA_TRY(store.put_setting("clock_set_back_told", mark));
    return audit(store, manager_actor(), now, AuditAction::clock_set_back, "manager",
                 {{"seconds", (before - now).count()}});
  }));
  return behind;
}

}  // namespace

Result<Housekeeping> keep_house(const Ports& ports) {
  Housekeeping done;
  CARDEA_ASSIGN(done.clock_set_back, clock_is_behind(ports));
  if (!done.clock_set_back) {
    CARDEA_ASSIGN(done.expired_requests, expire_requests(ports));
    CARDEA_ASSIGN(done.expired_certificates, sweep_expired(ports, most_at_once));
    CARDEA_ASSIGN(done.renewals, request_renewals(ports, most_at_once));
  }
  CARDEA_TRY(sign_audit_head(ports));
  // Last: authorities may take their time, or fail.
  if (!done.clock_set_back) {
    CARDEA_ASSIGN(done.settled_issuances, resume_issuances(ports, most_at_once));
  }
  return done;
}

}  // namespace cardea::manager
