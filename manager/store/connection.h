// One connection to the database with its prepared statements. SOCI and its exceptions stay behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "store/settings.h"
#include "store/value.h"

namespace cardea::manager::store {

/// How bad the last failure of a connection is.
enum class Fault : std::uint8_t {
  none,
  statement,    ///< this statement only: a constraint, data that does not fit
  again,        ///< the database asks for the transaction to be run again
  busy,         ///< somebody else held a lock for too long
  transaction,  ///< the transaction is lost: disk full, input/output, read-only, damage
  connection    ///< so is the connection
};

/// One thread at a time.
class Connection {
 public:
  /// Opens a database that exists. `read_only`: it refuses to write. device_error when it is not there or does not
  /// answer or cannot be written, store_corrupt when it is no database.
  static Result<std::unique_ptr<Connection>> open(const Place& place, bool read_only,
                                                  std::chrono::milliseconds patience);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Dialect dialect() const noexcept { return dialect_; }

  /// How long locks of others are waited for from now on.
  Status wait_for_locks(std::chrono::milliseconds patience);

  /// Runs SQL whose parameters are marked by `?`; prepared at the first use of the text. `columns` are the kinds of
  /// what it selects. Errors: exists (unique), data_invalid (other constraints), timed_out, device_memory,
  /// device_error, store_corrupt, or the sink's.
  Status query(const std::string& sql, std::span<const Value> parameters, std::span<const Kind> columns,
               const RowSink& sink);
  /// The same for what selects nothing; the number of rows changed.
  Result<long long> execute(const std::string& sql, std::span<const Value> parameters = {});
  /// Runs SQL without parameters and results that is not worth being kept prepared.
  Status once(const std::string& sql);
  /// Begins and ends transactions and savepoints: as once(), but SQLite keeps it prepared, whose parser costs more than
  /// what it does then.
  Status control(const std::string& sql);

  /// Of the last call that failed since forgive().
  Fault fault() const noexcept { return fault_; }
  void forgive() noexcept { fault_ = Fault::none; }
  /// Whether this still is what stands at its place: false when the file was removed or another put there.
  bool in_place() const;

  struct Driver;

 private:
  explicit Connection(const Place& place);

  struct Prepared;
  Prepared& prepared(const std::string& sql, std::span<const Value> parameters, std::span<const Kind> columns);
  void forget(const std::string& sql);
  Error failure_of(const std::exception& problem);
  Status set_up(bool read_only, std::chrono::milliseconds patience);

  Place place_;
  std::chrono::milliseconds lock_wait_{-1};
  Dialect dialect_;
  Fault fault_ = Fault::none;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  std::unique_ptr<Driver> driver_;
};

}  // namespace cardea::manager::store
