// Wraps every connector: no certificate passes that is not what was asked for.
#pragma once

#include <memory>

#include "domain/ca_connector.h"
#include "domain/clock.h"

namespace cardea::ca {

/// A connector whose answers are compared with the request (match.h). A certificate that differs is revoked at the
/// authority where it can be and told as Rejected, with the difference in words. The clock must live longer.
std::unique_ptr<manager::CaConnector> checked(std::unique_ptr<manager::CaConnector> connector, manager::Clock& clock);

}  // namespace cardea::ca
