#include "store/settings.h"

#include <fmt/format.h>

namespace cardea::manager::store {

Result<Place> place_of(std::string_view database) {
  constexpr std::string_view sqlite = "sqlite:", postgresql = "postgresql:";
  if (database.starts_with(sqlite)) {
    const std::string_view path = database.substr(sqlite.size());
    if (path.empty()) return error(Code::arguments_bad, "'sqlite:' is followed by the path of the database file");
    // The driver reads its connection string as "name=value" pairs as soon as it holds this character.
    if (path.find_first_of("=\"") != path.npos)
      return error(Code::arguments_bad, fmt::format("the path '{}' holds '=' or '\"'; choose another", path));
    return Place{Dialect::sqlite, std::string(path)};
  }
  if (database.starts_with(postgresql)) {
    const bool uri = database.substr(postgresql.size()).starts_with("//");
    return Place{Dialect::postgresql, std::string(uri ? database : database.substr(postgresql.size()))};
  }
  return error(Code::arguments_bad, "a database is named 'sqlite:<path>', 'postgresql:<keywords>' or 'postgresql://…'");
}

}  // namespace cardea::manager::store
