#include "store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "domain/audit.h"
#include "store/migrations.h"
#include "store/sql_store.h"
#include "store/transaction.h"

namespace cardea::manager::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t audit_events_at_once = 1000;

Error from_errno(int number, std::string_view what, const std::string& path) {
  const Code code = number == EACCES || number == EPERM || number == EROFS ? Code::permission_denied
                    : number == ENOSPC || number == EDQUOT                 ? Code::device_memory
                    : number == EEXIST                                     ? Code::exists
                                                                           : Code::device_error;
  return error(code, fmt::format("{} '{}': {}", what, path, std::generic_category().message(number)));
}

/// Makes an empty file that only its owner can read; what SQLite puts beside it gets the same rights.
Status make_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return from_errno(errno, "cannot make", path);
  ::close(descriptor);
  return {};
}

/// Waits until the file, or the names in a folder, are on the disk.
Status sync(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return from_errno(errno, "cannot open", path);
  const int problem = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  return problem == 0 ? Status() : from_errno(problem, "cannot write", path);
}

Status sync_with_folder(const std::string& path) {
  CARDEA_TRY(sync(path));
  const fs::path folder = fs::path(path).parent_path();
  return sync(folder.empty() ? "." : folder.string());
}

Result<std::unique_ptr<Connection>> open_checked(const Settings& settings, bool read_only) {
  CARDEA_ASSIGN(const Place place, place_of(settings.database));
  CARDEA_ASSIGN(auto connection, Connection::open(place, read_only, settings.patience));
  CARDEA_TRY(check_schema(*connection));
  return connection;
}

Result<bool> writes_ahead(Connection& connection) {
  bool wal = false;
  const Kind text_column[] = {Kind::text};
  CARDEA_TRY(connection.query("PRAGMA journal_mode", {}, text_column, [&](Row row) -> Status {
    wal = row[0].text == "wal";
    return {};
  }));
  return wal;
}

Status check_sqlite(Connection& connection) {
  const Kind text_column[] = {Kind::text};
  CARDEA_TRY(connection.query("PRAGMA integrity_check(1)", {}, text_column, [](Row row) -> Status {
    if (row[0].text == "ok") return {};
    return error(Code::store_corrupt, fmt::format("the database is damaged: {}", row[0].text));
  }));
  return connection.query("PRAGMA foreign_key_check", {}, text_column, [](Row row) -> Status {
    return error(Code::store_corrupt, fmt::format("a row of {} refers to one that is not there", row[0].text));
  });
}

Result<std::uint64_t> check_audit(Connection& connection) {
  SqlTransaction transaction(connection);
  AuditChain chain;
  CARDEA_ASSIGN(auto tail, transaction.audit_tail());
  if (tail) chain.expect(std::move(*tail));
  while (true) {
    CARDEA_ASSIGN(const auto events, transaction.audit(chain.last() + 1, audit_events_at_once));
    for (const AuditEvent& event : events) CARDEA_TRY(chain.take(event));
    if (events.size() == audit_events_at_once) continue;
    CARDEA_TRY(chain.end());
    return chain.last();
  }
}

Error not_for_postgresql(std::string_view use) {
  return error(Code::function_not_supported, fmt::format("PostgreSQL brings its own tools for this: use {}", use));
}

}  // namespace

Result<std::unique_ptr<Store>> open(const Settings& settings) {
  CARDEA_ASSIGN(Place place, place_of(settings.database));
  auto store = std::make_unique<SqlStore>(settings, std::move(place));
  CARDEA_TRY(store->connect());
  return std::unique_ptr<Store>(std::move(store));
}

Result<Migrated> migrate(const Settings& settings) {
  CARDEA_ASSIGN(const Place place, place_of(settings.database));
  const bool sqlite = place.dialect == Dialect::sqlite;
  if (sqlite) {
    if (Status made = make_file(place.target); !made && made.code() != Code::exists) return std::move(made).error();
  }
  CARDEA_ASSIGN(const auto connection, Connection::open(place, false, settings.patience));
  // Readers go on while somebody writes (sqlite.org/wal.html). Kept in the file.
  if (sqlite) CARDEA_TRY(connection->once("PRAGMA journal_mode = WAL"));
  CARDEA_ASSIGN(const int from, bring_up(*connection));
  if (sqlite) CARDEA_TRY(sync_with_folder(place.target));
  return Migrated{from, newest_schema()};
}

Status backup(const Settings& settings, const std::string& file) {
  CARDEA_ASSIGN(const Place place, place_of(settings.database));
  if (place.dialect == Dialect::postgresql) return not_for_postgresql("pg_dump");
  {
    CARDEA_ASSIGN(const auto connection, Connection::open(place, false, settings.patience));
    CARDEA_TRY(check_schema(*connection));
  }
  return copy_sqlite(place.target, file, settings.patience);
}

Status copy_sqlite(const std::string& from, const std::string& to, std::chrono::milliseconds patience) {
  CARDEA_ASSIGN(const auto connection, Connection::open({Dialect::sqlite, from}, false, patience));
  CARDEA_TRY(make_file(to));
  const auto copy = [&]() -> Status {
    const Value target[] = {text(to)};
    if (auto copied = connection->execute("VACUUM INTO ?", target); !copied) return std::move(copied).error();
    // The copy has forgotten it, and who opens a store does not set it.
    CARDEA_ASSIGN(const bool wal, writes_ahead(*connection));
    if (wal) {
      CARDEA_ASSIGN(const auto made, Connection::open({Dialect::sqlite, to}, false, patience));
      CARDEA_TRY(made->once("PRAGMA journal_mode = WAL"));
    }
    return sync_with_folder(to);
  };
  Status done = copy();
  if (!done) ::unlink(to.c_str());
  return done;
}

Result<Checked> check(const Settings& settings) {
  CARDEA_ASSIGN(const auto connection, open_checked(settings, true));
  CARDEA_TRY(
      connection->once(connection->dialect() == Dialect::sqlite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ"));
  if (connection->dialect() == Dialect::sqlite) CARDEA_TRY(check_sqlite(*connection));
  Checked checked;
  CARDEA_ASSIGN(checked.schema, schema_of(*connection));
  CARDEA_ASSIGN(checked.audit_events, check_audit(*connection));
  return checked;
}

Result<Checked> restore(const Settings& settings, const std::string& file) {
  CARDEA_ASSIGN(const Place place, place_of(settings.database));
  if (place.dialect == Dialect::postgresql) return not_for_postgresql("pg_restore");
  // A log that was left behind would be taken for the restored file's own.
  for (const char* const beside : {"", "-wal", "-shm", "-journal"})
    if (const std::string path = place.target + beside; fs::exists(fs::symlink_status(path)))
      return error(Code::exists, fmt::format("'{}' is there; stop the daemon and move it away first", path));
  CARDEA_ASSIGN(const Place source, place_of("sqlite:" + file));
  CARDEA_TRY(make_file(place.target));
  Settings target = settings;
  auto put = [&]() -> Result<Checked> {
    std::error_code problem;
    fs::copy_file(source.target, place.target, fs::copy_options::overwrite_existing, problem);
    if (problem) return from_errno(problem.value(), "cannot copy", file);
    CARDEA_TRY(sync_with_folder(place.target));
    CARDEA_ASSIGN(const auto connection, Connection::open(place, false, settings.patience));
    CARDEA_TRY(connection->once("PRAGMA journal_mode = WAL"));
    return check(target);
  };
  Result<Checked> checked = put();
  if (!checked) ::unlink(place.target.c_str());
  return checked;
}

}  // namespace cardea::manager::store
