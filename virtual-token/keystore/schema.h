// The tables of a token's store.sqlite and how older ones become the present ones.
#pragma once

#include "database/sqlite.h"

namespace cardea::keystore {

using database::Connection;
using database::Cursor;

/// The newest version of stores that this program knows (PRAGMA user_version).
int schema_version();

/// Brings an open store to the present layout, in one transaction a step. store_newer when it is ahead of us,
/// store_corrupt when it is no store of ours. A read-only store must already have the present layout.
Status upgrade_schema(Connection& connection, bool writable);

/// Makes the tables in an empty database.
Status create_schema(Connection& connection);

/// Writes into the store that it is sealed or is no longer, inside a transaction. A program that knows no seals then
/// refuses it as too new, instead of taking every PIN for wrong.
Status mark_sealed(Connection& connection, bool sealed);

}  // namespace cardea::keystore
