// Which database, and how it is reached.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cardea::manager::store {

enum class Dialect : unsigned char { sqlite, postgresql };

struct Settings {
  /// "sqlite:/var/lib/cardea/manager.db", or what libpq takes after "postgresql:" in its keyword form
  /// ("postgresql:host=db dbname=cardea user=cardea"), or libpq's own URI ("postgresql://cardea@db/cardea"). A password
  /// belongs into the file that PGPASSFILE names, not here.
  std::string database;
  /// Connections for work that only reads; they are opened when they are needed.
  std::size_t readers = 8;
  /// How long a lock of another process, or a free connection, is waited for.
  std::chrono::milliseconds patience{5000};
};

/// What `database` means to the driver. A PostgreSQL server that says nothing is waited for 5 s when a connection is
/// made and 20 s on one, unless `database` names other times.
struct Place {
  Dialect dialect = Dialect::sqlite;
  std::string target;  ///< a path, or libpq's connection string with bounds for waiting
};

/// arguments_bad in words when `database` names no known kind or a path that cannot be given to the driver.
Result<Place> place_of(std::string_view database);

}  // namespace cardea::manager::store
