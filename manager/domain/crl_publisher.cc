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

}  // namespace

Result<CrlState> publish_crl(const Ports& ports, LocalCa& ca, Id id) {
  CARDEA_ASSIGN(const auto last, stored_crl(ports, id));
  CrlState made;
  made.ca = id;
  made.number = last ? last->number + 1 : 1;
  made.this_update = ports.clock.now();
  made.next_update = made.this_update + ca.crl_lifetime();
  // Signing half a million entries takes seconds, in which the store must stay free: two daemons may make the same
  // number, and the first to store it wins.
  CARDEA_ASSIGN(made.der, ca.make_crl(made.number, made.this_update));
  CrlState kept;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(auto now_there, store.crl(id));
    if (now_there && now_there->number >= made.number) {
      kept = std::move(*now_there);
      return {};
    }
    kept = made;
    return store.put(made);
  }));
  return kept;
}

Result<CrlState> current_crl(const Ports& ports, LocalCa& ca, Id id) {
  CARDEA_ASSIGN(auto last, stored_crl(ports, id));
  if (last && ports.clock.now() < last->this_update + ca.crl_interval()) return std::move(*last);
  return publish_crl(ports, ca, id);
}

}  // namespace cardea::manager
