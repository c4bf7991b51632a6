#include "store/driver_errors.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace cardea::manager::store {
namespace {

Failure make(Fault fault, Code code, std::string_view what, std::string_view message) {
  return {fault, error(code, fmt::format("{} ({})", what, one_line(message)))};
}

}  // namespace

std::string one_line(std::string_view message) {
  // PostgreSQL tells the values of a row in a second line.
  return std::string(message.substr(0, message.find('\n')));
}

Failure sqlite_failure(int extended_code, std::string_view message) {
  switch (extended_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
      return make(Fault::statement, Code::exists, "the database has such a row already", message);
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return make(Fault::statement, Code::data_invalid, "the row refers to one that does not exist", message);
    default:
      break;
  }
  switch (extended_code & 0xFF) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return make(Fault::statement, Code::data_invalid, "the row does not fit", message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return make(Fault::busy, Code::timed_out, "another process has locked the database for too long", message);
    case SQLITE_FULL:
      return make(Fault::transaction, Code::device_memory, "there is no space left for the database", message);
    case SQLITE_NOMEM:
      return make(Fault::transaction, Code::host_memory, "the database needs more memory", message);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return make(Fault::connection, Code::device_error, "the database cannot be written", message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return make(Fault::connection, Code::store_corrupt, "the database is damaged", message);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
      return make(Fault::connection, Code::device_error, "the database cannot be read or written", message);
    default:
      return make(Fault::transaction, Code::device_error, "the database failed", message);
  }
}

Failure postgresql_failure(std::string_view sqlstate, bool connected, std::string_view message) {
  const std::string_view group = sqlstate.substr(0, 2);
  if (sqlstate == "23505") return make(Fault::statement, Code::exists, "the database has such a row already", message);
  if (sqlstate == "23503")
    return make(Fault::statement, Code::data_invalid, "the row refers to one that does not exist", message);
  if (sqlstate == "40001" || sqlstate == "40P01")
    return make(Fault::again, Code::timed_out, "others change the same rows all the time", message);
  if (sqlstate == "55P03" || sqlstate == "57014")
    return make(Fault::busy, Code::timed_out, "another process has locked the database for too long", message);
  if (sqlstate == "53100")
    return make(Fault::transaction, Code::device_memory, "there is no space left for the database", message);
  if (sqlstate == "25006" || sqlstate == "42501")
    return make(Fault::transaction, Code::device_error, "the database cannot be written", message);
  if (group == "22" || group == "23")
    return make(Fault::statement, Code::data_invalid, "the row does not fit", message);
  if (!connected || group == "08" || group == "57")
    return make(Fault::connection, Code::device_error, "the connection to the database is lost", message);
  if (sqlstate == "XX001" || sqlstate == "XX002")
    return make(Fault::transaction, Code::store_corrupt, "the database is damaged", message);
  return make(Fault::transaction, Code::device_error, "the database failed", message);
}

}  // namespace cardea::manager::store
