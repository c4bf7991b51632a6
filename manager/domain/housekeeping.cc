#include "domain/housekeeping.h"

#include "domain/audit_log.h"
#include "domain/certificates.h"
#include "domain/open_issuances.h"
#include "domain/renewals.h"
#include "domain/requests.h"
#include "domain/time_seen.h"

namespace cardea::manager {

namespace {

constexpr std::size_t most_at_once = 1000;

}  // namespace

Result<Housekeeping> keep_house(const Ports& ports) {
  Housekeeping done;
  CARDEA_ASSIGN(done.clock_behind, watch_clock(ports));
  const auto note = [&](Error problem) {
    if (!done.failure) done.failure = std::move(problem);
  };
  const auto count = [&](Result<std::size_t> part, std::size_t& where) {
    if (part) where = *part;
    if (!part) note(std::move(part).error());
  };
  const bool clock_is_right = done.clock_behind.count() == 0;
  if (clock_is_right) {
    count(expire_requests(ports), done.expired_requests);
    count(sweep_expired(ports, most_at_once), done.expired_certificates);
    count(request_renewals(ports, most_at_once), done.renewals);
  }
  if (Status head = sign_audit_head(ports); !head) note(std::move(head).error());
  // Last: authorities may take their time.
  if (clock_is_right) count(resume_issuances(ports, most_at_once), done.settled_issuances);
  return done;
}

}  // namespace cardea::manager
