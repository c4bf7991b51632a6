#include "database/sqlite.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cardea::database {
namespace {

// SQLite's own handler soon sleeps 100 ms at a time; our transactions take a fraction of a millisecond, so asking again
// early lets many writers through. The pauses add up to about ten seconds.
constexpr int short_pauses = 50;
constexpr int longest_pause_us = 2000;
constexpr int most_pauses = 5000;

int wait_for_others(void*, int tried) {
  if (tried >= most_pauses) return 0;
  usleep(static_cast<useconds_t>(tried < short_pauses ? 100 + tried * 20 : longest_pause_us));
  return 1;
}

/// The file as an SQLite URI; only there can a file be called immutable (https://sqlite.org/uri.html). The way to its
/// directory may lead through symbolic links, which SQLITE_OPEN_NOFOLLOW would refuse; the file itself must be none.
std::string uri_of(const std::filesystem::path& file, Connection::Mode mode) {
  std::error_code failed;
  const std::filesystem::path directory = std::filesystem::canonical(file.parent_path(), failed);
  const std::filesystem::path real = failed ? file : directory / file.filename();
  std::string uri = "file:";
  for (const char c : real.string()) {
    if (c == '%' || c == '?' || c == '#') {
      const Byte byte = static_cast<Byte>(c);
      uri += '%' + to_hex({&byte, 1});
    } else {
      uri += c;
    }
  }
  if (mode == Connection::Mode::immutable) uri += "?immutable=1";
  return uri;
}

/// Before SQLite's first use: a store is opened by every process that signs, and these are what its opening spends on
/// things that we have no use for. Memory is not counted, under a lock, and a connection's page cache starts small.
/// Where SQLite is in use already it stays as it is.
void set_up_sqlite() {
  constexpr int first_pages = 6;
  static const bool once = [] {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, first_pages);
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace

Error sqlite_error(sqlite3* handle, SourcePlace where) {
  const int code = sqlite3_extended_errcode(handle);
  const std::string words = sqlite3_errmsg(handle);
  const int system = sqlite3_system_errno(handle);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return error(Code::device_memory, "no space is left for the store", where);
    case SQLITE_IOERR:
      if (system == ENOSPC || system == EDQUOT || code == SQLITE_IOERR_SHMSIZE) {
        return error(Code::device_memory, "no space is left for the store", where);
      }
      return error(Code::device_error, "reading or writing the store failed: " + words, where);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return error(Code::device_error, "another process has kept the store busy for more than ten seconds", where);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return error(Code::store_corrupt, words, where);
    case SQLITE_READONLY:
      // Who may not write never gets here (StoreFile::open), so opening the file or its log for writing failed.
      return error(Code::device_error,
                   "the store could not be opened for writing: " + words + "; end the application and start it again",
                   where);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return error(Code::permission_denied, words, where);
    case SQLITE_NOMEM:
      return error(Code::host_memory, {}, where);
    default:
      return error(Code::device_error, "the store failed: " + words, where);
  }
}

Cursor::~Cursor() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Cursor& Cursor::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_, next_++, value);
  return *this;
}

Cursor& Cursor::bind(ByteView value) {
  const void* const data = value.empty() ? "" : static_cast<const void*>(value.data());
  sqlite3_bind_blob64(statement_, next_++, data, value.size(), SQLITE_STATIC);
  return *this;
}

Cursor& Cursor::bind_null() {
  sqlite3_bind_null(statement_, next_++);
  return *this;
}

Result<bool> Cursor::next() {
  const int outcome = sqlite3_step(statement_);
  if (outcome == SQLITE_ROW) return true;
  if (outcome == SQLITE_DONE) return false;
  return sqlite_error(sqlite3_db_handle(statement_));
}

Status Cursor::run() {
  CARDEA_ASSIGN(const bool row, next());
  if (row) return error(Code::internal, "a statement without results answered a row");
  return {};
}

std::int64_t Cursor::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Cursor::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

ByteView Cursor::bytes(int column) const {
  const void* const data = sqlite3_column_blob(statement_, column);
  return {static_cast<const Byte*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string Cursor::text(int column) const {
  return std::string(text_of(bytes(column)));
}

Result<Connection> Connection::open(const std::filesystem::path& file, Mode mode, bool create) {
  int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
  flags |= mode == Mode::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  if (create) flags |= SQLITE_OPEN_CREATE;
  set_up_sqlite();
  sqlite3* handle = nullptr;
  const int outcome = sqlite3_open_v2(uri_of(file, mode).c_str(), &handle, flags, nullptr);
  Connection connection;
  connection.handle_.reset(handle);
  if (handle == nullptr) return Code::host_memory;
  if (outcome != SQLITE_OK) return sqlite_error(handle);
  sqlite3_busy_handler(handle, wait_for_others, nullptr);
  // A damaged or hostile file must not run SQL of its own, nor make us read outside a page.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return connection;
}

Status Connection::execute(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return sqlite_error(handle_.get());
  return {};
}

Result<sqlite3_stmt*> Connection::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return sqlite_error(handle_.get());
  }
  return statement;
}

void Connection::try_checkpoint() {
  sqlite3_busy_handler(handle_.get(), nullptr, nullptr);
  sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_handler(handle_.get(), wait_for_others, nullptr);
}

void Connection::close_inherited() {
  if (handle_) sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  handle_.reset();
}

}  // namespace cardea::database
