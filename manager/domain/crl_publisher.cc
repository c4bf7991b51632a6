#include "domain/crl_publisher.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/audit_log.h"
#include "domain/time_seen.h"

namespace cardea::manager {
namespace {

struct Published {
  std::optional<CrlState> crl;
  Time latest;  ///< that a daemon has seen
};

Result<Published> published(const Ports& ports, Id id) {
  Published found;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(found.crl, store.crl(id));
    CARDEA_ASSIGN(found.latest, latest_time(store, ports.clock));
    return {};
  }));
  return found;
}

// A time that nobody stands by any more: the clock was ahead when the CRL was made, and was accepted as right since.
bool is_disowned(const CrlState& crl, Time latest) {
  return crl.this_update > latest + tolerated_skew;
}

// A CRL with a higher number is no older (RFC 5280, 5.2.3), even when the clock was set back between the two.
Time next_time(const Published& before, Time now) {
  const bool counts = before.crl && !is_disowned(*before.crl, before.latest);
  return counts ? std::max(now, before.crl->this_update) : now;
}

// The next CRL, unless somebody else stored one with its number meanwhile.
Result<std::optional<CrlState>> publish_next(const Ports& ports, LocalCa& ca, Id id) {
  CARDEA_ASSIGN(const Published last, published(ports, id));
  CrlState made;
  made.ca = id;
  made.number = last.crl ? last.crl->number + 1 : 1;
  made.this_update = next_time(last, ports.clock.now());
  made.next_update = made.this_update + ca.crl_lifetime();
  // Signing half a million entries takes seconds, in which the store must stay free: two daemons may make the same
  // number, and the first to store it wins.
  CARDEA_ASSIGN(made.der, ca.make_crl(made.number, made.this_update));
  bool overtaken = false;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const auto now_there, store.crl(id));
    overtaken = now_there && now_there->number >= made.number;
    return overtaken ? Status() : store.put(made);
  }));
  if (overtaken) return std::optional<CrlState>();
  return std::optional(std::move(made));
}

}  // namespace

// The CRL of whoever was faster may have been begun before a revocation that this one is to show, so it is made again.
Result<CrlState> publish_crl(const Ports& ports, LocalCa& ca, Id id) {
  constexpr int most_attempts = 20;
  for (int attempts = 0; attempts < most_attempts; ++attempts) {
    CARDEA_ASSIGN(auto made, publish_next(ports, ca, id));
    if (made) return std::move(*made);
  }
  return error(Code::timed_out, "others make CRLs of this authority all the time");
}

Result<CrlState> publish_crl(const Ports& ports, const Actor& actor, LocalCa& ca, Id id) {
  CARDEA_TRY(require(actor, Right::crl_publish));
  CARDEA_ASSIGN(CrlState made, publish_crl(ports, ca, id));
  CARDEA_TRY(ports.store.transact([&](Transaction& store) {
    return audit(store, actor, ports.clock.now(), AuditAction::crl_published, fmt::format("ca:{}", id),
                 {{"number", made.number}});
  }));
  return made;
}

Result<CrlState> current_crl(const Ports& ports, LocalCa& ca, Id id) {
  CARDEA_ASSIGN(Published last, published(ports, id));
  const bool holds =
      last.crl && !is_disowned(*last.crl, last.latest) && ports.clock.now() < last.crl->this_update + ca.crl_interval();
  if (holds) return std::move(*last.crl);
  CARDEA_ASSIGN(auto made, publish_next(ports, ca, id));
  if (made) return std::move(*made);
  CARDEA_ASSIGN(Published others, published(ports, id));
  if (others.crl) return std::move(*others.crl);
  return error(Code::key_changed, "the CRL that another daemon made is gone");
}

Result<CrlState> valid_crl(const Ports& ports, std::string_view name) {
  Id id = 0;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const CaRecord ca, store.ca_by_name(name));
    id = ca.id;
    return {};
  }));
  CARDEA_ASSIGN(Published last, published(ports, id));
  const bool holds = last.crl && !is_disowned(*last.crl, last.latest) && ports.clock.now() < last.crl->next_update;
  if (holds) return std::move(*last.crl);
  return error(Code::not_found, "there is no CRL of this authority that is valid");
}

}  // namespace cardea::manager
