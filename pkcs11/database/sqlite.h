// SQLite in RAII with our errors. Nothing here knows what the tables mean.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::database {

/// One prepared statement in use. Parameters are bound in order; it is reset when it goes out of scope, so that no read
/// transaction outlives its reader.
class Cursor {
 public:
  explicit Cursor(sqlite3_stmt* statement) : statement_(statement) {}
  Cursor(Cursor&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)), next_(other.next_) {}
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  /// Binds the next parameter. Bytes must live until the query is gone; bytes without data() bind as an empty blob.
  Cursor& bind(std::int64_t value);
  Cursor& bind(ByteView value);
  Cursor& bind_null();

  /// Whether there is a further row; an error from SQLite otherwise.
  Result<bool> next();
  /// Runs a statement that answers no rows.
  Status run();

  std::int64_t number(int column) const;
  bool is_null(int column) const;
  /// Valid until next() or the end of the query.
  ByteView bytes(int column) const;
  std::string text(int column) const;

 private:
  sqlite3_stmt* statement_;
  int next_ = 1;
};

/// A connection. One thread at a time.
class Connection {
 public:
  enum class Mode : std::uint8_t { read_write, read_only, immutable };

  /// Opens an existing file (or makes it, with `create`). Waiting for other processes is bounded by about ten seconds.
  /// permission_denied, store_corrupt, device_error.
  static Result<Connection> open(const std::filesystem::path& file, Mode mode, bool create = false);

  Connection() = default;
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;

  /// Runs SQL without parameters and results.
  Status execute(const char* sql);
  /// A statement to keep; the caller finalises it before the connection closes.
  Result<sqlite3_stmt*> prepare(const char* sql);
  /// Rows changed by the last INSERT, UPDATE or DELETE.
  int changes() const { return sqlite3_changes(handle_.get()); }
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

  /// From how many pages of the write-ahead log on a commit moves them into the database.
  void checkpoint_every(int pages) { sqlite3_wal_autocheckpoint(handle_.get(), pages); }
  /// Moves the write-ahead log into the database and empties it, as far as nobody uses it at this moment; waits for
  /// nobody. Whether it came off does not matter: a later one will do it.
  void try_checkpoint();

  /// Closes without a checkpoint and without asking for any lock: for a connection inherited through fork().
  void close_inherited();

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// The newest failure of a connection as an Error: full disk → device_memory, damage → store_corrupt, no right →
/// permission_denied or token_write_protected, someone else busy for too long and anything else → device_error.
Error sqlite_error(sqlite3* handle, SourcePlace where = SourcePlace::here());

}  // namespace cardea::database
