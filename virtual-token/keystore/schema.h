// The tables of a token's store.sqlite and how older ones become the present ones.
#pragma once

#include "database/sqlite.h"

namespace cardea::keystore {

using database::Connection;
using database::Cursor;

/// Version of the tables that this program writes (PRAGMA user_version).
int schema_version();

/// Brings an open store to the present version, in one transaction a step. store_newer when it is ahead of us,
/// store_corrupt when it is no store of ours. A read-only store must already be at the present version.
Status upgrade_schema(Connection& connection, bool writable);

/// Makes the tables in an empty database.
Status create_schema(Connection& connection);

}  // namespace cardea::keystore
