// The store as the daemon and its commands see it: open, migrate, back up, check, restore.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "domain/store.h"
#include "store/settings.h"

namespace cardea::manager::store {

/// Opens a database that stands at this program's schema. Errors: arguments_bad (settings), device_error (not there,
/// not reachable), not_initialized (older schema or empty: migrate), store_newer, store_corrupt.
Result<std::unique_ptr<Store>> open(const Settings& settings);

struct Migrated {
  int from = 0;  ///< 0: there was nothing
  int to = 0;
};
/// Makes the database (an SQLite file that only its owner can read; on PostgreSQL the tables, the database itself must
/// be there) or brings it to this program's schema, all or nothing. store_newer when a newer program wrote it.
Result<Migrated> migrate(const Settings& settings);

/// Copies an SQLite database to a new file while daemons go on working: the state of one moment, compact, readable to
/// its owner only, durable. exists when there is such a file. function_not_supported for PostgreSQL, with what to use.
Status backup(const Settings& settings, const std::string& file);

/// The same for any SQLite file, whatever its tables are, so that a token's store can be copied beside the database.
/// Waits for writers at most that long.
Status copy_sqlite(const std::string& from, const std::string& to,
                   std::chrono::milliseconds patience = Settings().patience);

/// What a check found; a damaged database is an error instead.
struct Checked {
  int schema = 0;
  std::uint64_t audit_events = 0;  ///< all in an unbroken chain
};
/// Reads everything: the database's own consistency (SQLite), references, the audit log's chain. store_corrupt or
/// data_invalid with a sentence.
Result<Checked> check(const Settings& settings);

/// Puts a backup that passes check() where the settings say. exists when something is there already: it is moved away
/// by hand, never overwritten. function_not_supported for PostgreSQL.
Result<Checked> restore(const Settings& settings, const std::string& file);

}  // namespace cardea::manager::store
