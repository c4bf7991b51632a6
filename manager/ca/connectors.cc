#include "ca/connectors.h"

#include <fmt/format.h>

#include "ca/checked_connector.h"
#include "embedded/embedded_ca.h"

namespace cardea::ca {
namespace {

using manager::CaConnector;
using manager::CaRecord;

Result<std::unique_ptr<CaConnector>> open_embedded(const CaRecord& ca, const ConnectorParts& parts) {
  CARDEA_ASSIGN(EmbeddedSettings settings, read_settings(ca.settings));
  CARDEA_ASSIGN(auto opened, EmbeddedCa::open(ca.id, std::move(settings), {parts.keys, parts.status, parts.clock}));
  return std::unique_ptr<CaConnector>(std::move(opened));
}

Result<std::unique_ptr<CaConnector>> open(const CaRecord& ca, const ConnectorParts& parts) {
#define CARDEA_CONNECTOR(name, words) \
  if (ca.connector == #name) return open_##name(ca, parts);
#include "ca/connectors.def"
#undef CARDEA_CONNECTOR
  return error(Code::not_found, fmt::format("there is no kind of CA '{}'", ca.connector));
}

}  // namespace

std::vector<std::string_view> connector_kinds() {
  return {
#define CARDEA_CONNECTOR(name, words) #name,
#include "ca/connectors.def"
#undef CARDEA_CONNECTOR
  };
}

Result<std::shared_ptr<CaConnector>> Connectors::connector(const CaRecord& ca) {
  // Held while one is opened: the second to ask would otherwise open it as well.
  const std::lock_guard lock(lock_);
  const auto known = opened_.find(ca.id);
  if (known != opened_.end() && known->second.kind == ca.connector && known->second.settings == ca.settings) {
    return known->second.connector;
  }
  CARDEA_ASSIGN(auto connector, open(ca, parts_));
  const std::shared_ptr<CaConnector> shared = checked(std::move(connector), parts_.clock);
  opened_.insert_or_assign(ca.id, Opened{ca.connector, ca.settings, shared});
  return shared;
}

}  // namespace cardea::ca
