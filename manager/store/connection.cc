#include "store/connection.h"

#include <fmt/format.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unordered_map>
#include <vector>

#include "store/driver_errors.h"
#include "store/fold.h"

namespace cardea::manager::store {
namespace {

// Far more than there are shapes of queries.
constexpr std::size_t most_statements = 300;

/// The markers of parameters named as SOCI wants it. SOCI binds bytes as text, which SQLite would keep as text.
std::string named(std::string_view sql, std::span<const Value> parameters, Dialect dialect) {
  std::string out;
  std::size_t index = 0;
  for (const char c : sql) {
    if (c != '?') {
      out += c;
      continue;
    }
    const bool cast = dialect == Dialect::sqlite && index < parameters.size() && parameters[index].kind == Kind::bytes;
    out += fmt::format(fmt::runtime(cast ? "CAST(:p{} AS BLOB)" : ":p{}"), index++);
  }
  return out;
}

}  // namespace

struct Connection::Prepared {
  explicit Prepared(soci::session& session) : statement(session) {}

  std::vector<Value> in;
  std::vector<Value> out;
  std::vector<soci::indicator> in_given;
  std::vector<soci::indicator> out_given;
  soci::statement statement;
};

struct Connection::Driver {
  explicit Driver(const soci::backend_factory& factory, const std::string& target) : session(factory, target) {}

  soci::session session;  // outlives its statements: members are destroyed in reverse order
  std::unordered_map<std::string, std::unique_ptr<Prepared>> statements;

  sqlite_api::sqlite3* sqlite() { return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_; }
  bool connected() {
    return PQstatus(static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_) == CONNECTION_OK;
  }
};

Connection::Connection(const Place& place) : place_(place), dialect_(place.dialect) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const Place& place, bool read_only,
                                                     std::chrono::milliseconds patience) {
  std::unique_ptr<Connection> connection(new Connection(place));
  if (place.dialect == Dialect::sqlite) {
    struct stat found = {};
    // SOCI would make a missing file.
    if (::stat(place.target.c_str(), &found) != 0)
      return error(Code::device_error, fmt::format("the database '{}' is not there", place.target));
    // It would fall back to reading and then fail at the first change.
    if (!read_only && ::access(place.target.c_str(), R_OK | W_OK) != 0)
      return error(Code::device_error, fmt::format("the database '{}' cannot be written by us", place.target));
    connection->device_ = found.st_dev;
    connection->inode_ = found.st_ino;
  }
  try {
    if (place.dialect == Dialect::sqlite)
      connection->driver_ = std::make_unique<Driver>(*soci::factory_sqlite3(), place.target);
    else
      connection->driver_ = std::make_unique<Driver>(*soci::factory_postgresql(), place.target);
  } catch (const std::exception& problem) {
    connection->fault_ = Fault::connection;
    return error(Code::device_error, fmt::format("the database cannot be reached: {}", one_line(problem.what())));
  }
  CARDEA_TRY(connection->set_up(read_only, patience));
  return connection;
}

Status Connection::wait_for_locks(std::chrono::milliseconds patience) {
  if (patience == lock_wait_) return {};
  if (dialect_ == Dialect::sqlite) {
    sqlite_api::sqlite3_busy_timeout(driver_->sqlite(), static_cast<int>(patience.count()));
  } else {
    CARDEA_TRY(once(fmt::format("SET lock_timeout = {}", patience.count())));
  }
  lock_wait_ = patience;
  return {};
}

Status Connection::set_up(bool read_only, std::chrono::milliseconds patience) {
  CARDEA_TRY(wait_for_locks(patience));
  if (dialect_ == Dialect::sqlite) {
    // A commit is durable when it returns: one wait for the disk, in the log written ahead.
    CARDEA_TRY(once("PRAGMA synchronous = FULL"));
    CARDEA_TRY(once("PRAGMA foreign_keys = ON"));
    CARDEA_TRY(once("PRAGMA temp_store = MEMORY"));
    if (read_only) {
      CARDEA_TRY(once("PRAGMA cache_size = -16000"));
      return once("PRAGMA query_only = ON");
    }
    // Pages that are changed again and again are copied from the log to the file once in 64 MiB; that waits for the
    // disk.
    CARDEA_TRY(once("PRAGMA cache_size = -128000"));
    return once("PRAGMA wal_autocheckpoint = 16000");
  }
  CARDEA_TRY(once("SET client_encoding = 'UTF8'"));
  CARDEA_TRY(once("SET client_min_messages = 'warning'"));
  CARDEA_TRY(once("SET synchronous_commit = 'on'"));
  return once(fmt::format("SET default_transaction_read_only = {}", read_only ? "on" : "off"));
}

bool Connection::in_place() const {
  if (dialect_ != Dialect::sqlite) return true;
  struct stat found = {};
  return ::stat(place_.target.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
}

Connection::Prepared& Connection::prepared(const std::string& sql, std::span<const Value> parameters,
                                           std::span<const Kind> columns) {
  auto& statements = driver_->statements;
  if (const auto known = statements.find(sql); known != statements.end()) return *known->second;
  if (statements.size() >= most_statements) statements.clear();
  auto fresh = std::make_unique<Prepared>(driver_->session);
  // SOCI keeps the addresses of these, so the vectors never grow afterwards.
  fresh->in.assign(parameters.begin(), parameters.end());
  fresh->in_given.assign(parameters.size(), soci::i_ok);
  for (const Kind kind : columns) fresh->out.push_back({.kind = kind});
  fresh->out_given.assign(columns.size(), soci::i_ok);
  soci::statement& statement = fresh->statement;
  statement.alloc();
  statement.prepare(named(sql, parameters, dialect_));
  for (std::size_t i = 0; i < fresh->out.size(); ++i) {
    Value& value = fresh->out[i];
    if (value.kind == Kind::integer)
      statement.exchange(soci::into(value.number, fresh->out_given[i]));
    else
      statement.exchange(soci::into(value.text, fresh->out_given[i]));
  }
  for (std::size_t i = 0; i < fresh->in.size(); ++i) {
    Value& value = fresh->in[i];
    const std::string name = fmt::format("p{}", i);
    if (value.kind == Kind::integer)
      statement.exchange(soci::use(value.number, fresh->in_given[i], name));
    else
      statement.exchange(soci::use(value.text, fresh->in_given[i], name));
  }
  statement.define_and_bind();
  return *statements.emplace(sql, std::move(fresh)).first->second;
}

void Connection::forget(const std::string& sql) {
  driver_->statements.erase(sql);
}

namespace {

/// PostgreSQL takes and gives bytes as text (its manual, 8.4.1).
std::string escaped(std::string_view bytes) {
  return "\\x" + to_hex(view_of(bytes));
}

Status unescape(std::string& text) {
  Bytes raw;
  if (!text.starts_with("\\x") || !from_hex(std::string_view(text).substr(2), raw))
    return error(Code::store_corrupt, "the database gave bytes in a form that is not known");
  text.assign(text_of(raw));
  return {};
}

}  // namespace

Status Connection::query(const std::string& sql, std::span<const Value> parameters, std::span<const Kind> columns,
                         const RowSink& sink) {
  for (const Value& value : parameters)
    if (value.kind == Kind::text) CARDEA_TRY(check_text(value.text));
  const bool escape = dialect_ == Dialect::postgresql;
  try {
    Prepared& use = prepared(sql, parameters, columns);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Value& value = parameters[i];
      use.in_given[i] = value.null ? soci::i_null : soci::i_ok;
      use.in[i].number = value.number;
      use.in[i].text = escape && value.kind == Kind::bytes && !value.null ? escaped(value.text) : value.text;
    }
    for (bool more = use.statement.execute(true); more && !columns.empty(); more = use.statement.fetch()) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        Value& value = use.out[i];
        value.null = use.out_given[i] == soci::i_null;
        if (value.null) value.number = 0, value.text.clear();
        if (escape && value.kind == Kind::bytes && !value.null) CARDEA_TRY(unescape(value.text));
      }
      if (Status taken = sink(use.out); !taken) {
        forget(sql);  // a statement that stands half-read would keep its snapshot
        return taken;
      }
    }
    return {};
  } catch (const std::exception& problem) {
    Error failure = failure_of(problem);
    if (fault_ != Fault::statement) forget(sql);
    return failure;
  }
}

Result<long long> Connection::execute(const std::string& sql, std::span<const Value> parameters) {
  CARDEA_TRY(query(sql, parameters, {}, {}));
  try {
    return driver_->statements.at(sql)->statement.get_affected_rows();
  } catch (const std::exception& problem) {
    return failure_of(problem);
  }
}

Status Connection::once(const std::string& sql) {
  try {
    driver_->session.once << sql;
    return {};
  } catch (const std::exception& problem) {
    return failure_of(problem);
  }
}

Status Connection::control(const std::string& sql) {
  return dialect_ == Dialect::sqlite ? query(sql, {}, {}, {}) : once(sql);
}

Error Connection::failure_of(const std::exception& problem) {
  Failure failure;
  if (dialect_ == Dialect::sqlite) {
    sqlite_api::sqlite3* const handle = driver_->sqlite();
    failure = sqlite_failure(sqlite_api::sqlite3_extended_errcode(handle), problem.what());
    // Some failures end the transaction by themselves (SQLite, "lang_transaction", 3).
    if (failure.fault == Fault::statement && dynamic_cast<const soci::sqlite3_soci_error*>(&problem) == nullptr)
      failure.fault = Fault::transaction;
  } else {
    const auto* known = dynamic_cast<const soci::postgresql_soci_error*>(&problem);
    failure = postgresql_failure(known ? known->sqlstate() : "", driver_->connected(), problem.what());
  }
  fault_ = failure.fault;
  return std::move(failure.error);
}

}  // namespace cardea::manager::store
