#include "domain/crl_publisher.h"

namespace cardea::manager {
namespace {

Result<std::optional<CrlState>> stored_crl(const Ports& ports, Id id) {
  std::optional<CrlState> found;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(found, store.crl(id));
    return {};
  }));
  return found;
}

// The next CRL, unless somebody else stored one with its number meanwhile.
Result<std::optional<CrlState>> publish_next(const Ports& ports, LocalCa& ca, Id id) {
  CARDEA_ASSIGN(const auto last, stored_crl(ports, id));
  CrlState made;
  made.ca = id;
  made.number = last ? last->number + 1 : 1;
  made.this_update = ports.clock.now();
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

Result<CrlState> current_crl(const Ports& ports, LocalCa& ca, Id id) {
  CARDEA_ASSIGN(auto last, stored_crl(ports, id));
  if (last && ports.clock.now() < last->this_update + ca.crl_interval()) return std::move(*last);
  CARDEA_ASSIGN(auto made, publish_next(ports, ca, id));
  if (made) return std::move(*made);
  CARDEA_ASSIGN(auto others, stored_crl(ports, id));
  if (others) return std::move(*others);
  return error(Code::key_changed, "the CRL that another daemon made is gone");
}

}  // namespace cardea::manager
