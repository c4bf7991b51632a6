// The way from a configured authority to its connector.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "domain/clock.h"
#include "domain/key_token.h"
#include "domain/ports.h"
#include "domain/revocation.h"

namespace cardea::ca {

/// What connectors stand on; all must live longer than them.
struct ConnectorParts {
  manager::KeyToken& keys;
  manager::StatusSource& status;
  manager::Clock& clock;
};

/// The kinds there are (connectors.def).
std::vector<std::string_view> connector_kinds();

/// Opens connectors when they are first asked for and again when their row has changed. Every connector it gives
/// compares certificates with requests (checked_connector.h).
class Connectors final : public manager::CaConnectors {
 public:
  explicit Connectors(ConnectorParts parts) : parts_(parts) {}
  Result<std::shared_ptr<manager::CaConnector>> connector(const manager::CaRecord& ca) override;

 private:
  struct Opened {
    std::string kind;
    boost::json::object settings;
    std::shared_ptr<manager::CaConnector> connector;
  };
  ConnectorParts parts_;
  std::mutex lock_;
  std::map<manager::Id, Opened> opened_;
};

}  // namespace cardea::ca
