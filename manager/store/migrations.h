// The schema in numbered steps, and how a database is brought to the newest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/connection.h"

namespace cardea::manager::store {

/// The newest step there is.
int newest_schema();

/// The SQL of one step (1 to newest_schema()) in a dialect, statement by statement.
std::vector<std::string> schema_step(int step, Dialect dialect);

/// The step a database stands at; 0: it is empty.
Result<int> schema_of(Connection& connection);

/// Succeeds when the database stands at the newest step. store_newer when a newer program wrote it; not_initialized
/// when it is older or empty: both say in words what to do.
Status check_schema(Connection& connection);

/// Brings the database up, every step in one transaction with the others: all or none. Gives the step it stood at
/// before. Two daemons that do it at once do it one after the other.
Result<int> bring_up(Connection& connection);

}  // namespace cardea::manager::store
