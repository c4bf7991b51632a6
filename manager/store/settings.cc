#include "store/settings.h"

#include <fmt/format.h>

namespace cardea::manager::store {
namespace {

// A server whose machine is gone says nothing at all, and the kernel would wait for it for minutes (libpq, 34.1.2). Of
// two equal keywords libpq takes the later.
constexpr std::string_view patient_keywords =
    "connect_timeout=5 keepalives_idle=10 keepalives_interval=5 keepalives_count=2 tcp_user_timeout=20000 ";
constexpr std::string_view patient_parameters =
    "connect_timeout=5&keepalives_idle=10&keepalives_interval=5&keepalives_count=2&tcp_user_timeout=20000";

std::string with_patience(std::string_view uri) {
  const std::size_t mark = uri.find('?');
  std::string out(uri.substr(0, mark));
  out += fmt::format("?{}", patient_parameters);
  if (mark != uri.npos && mark + 1 < uri.size()) out += fmt::format("&{}", uri.substr(mark + 1));
  return out;
}

}  // namespace

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
    const std::string_view keywords = database.substr(postgresql.size());
    return Place{Dialect::postgresql, keywords.starts_with("//") ? with_patience(database)
                                                                 : fmt::format("{}{}", patient_keywords, keywords)};
  }
  return error(Code::arguments_bad, "a database is named 'sqlite:<path>', 'postgresql:<keywords>' or 'postgresql://…'");
}

}  // namespace cardea::manager::store
