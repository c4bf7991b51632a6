// Lists: a filter becomes queries that an index serves, page by page without counting through what came before.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/store.h"
#include "store/connection.h"
#include "store/tables.h"

namespace cardea::manager::store {

/// One query of a list.
struct Query {
  std::string sql;
  std::vector<Value> parameters;
};

/// Where the next page begins: behind the row with this key and id.
struct Position {
  Id id = 0;
  std::string text;      ///< key of a list in the order of a text
  long long number = 0;  ///< key of a list in the order of time
};

/// The queries whose rows, merged by key and id, are the page that begins at `filter.cursor`: one, or one for each
/// column that the text is looked for in. They select `columns` and then the searched columns. arguments_bad in words.
Result<std::vector<Query>> queries_of(const Table& table, const Filter& filter, std::string_view columns,
                                      Dialect dialect);

struct Found {
  std::vector<std::vector<Value>> rows;
  std::string cursor;
};

/// A page of the list. `columns` (of those kinds) begin with the id.
Result<Found> search(Connection& connection, const Table& table, const Filter& filter, std::string_view columns,
                     const std::vector<Kind>& kinds);

}  // namespace cardea::manager::store
