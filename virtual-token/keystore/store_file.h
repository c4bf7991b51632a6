// One token's database: rows in, rows out. One thread at a time; open_stores.h adds the lock.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "keystore/change_counter.h"
#include "keystore/schema.h"
#include "keystore/seal.h"
#include "keystore/try_counter.h"
#include "token/token.h"

namespace cardea::keystore {

inline constexpr std::string_view database_name = "store.sqlite";
inline constexpr std::string_view counter_name = "generation";
inline constexpr std::string_view tries_name = "tries";
inline constexpr std::string_view lock_name = "lock";

/// Whether a row may have that id: from 1 to below 2^40 (see ObjectId), as every store that we wrote keeps to.
constexpr bool is_object_id(ObjectId id) noexcept {
  return id != 0 && id >> 40 == 0;
}

/// The row of table meta.
struct Meta {
  std::string serial;
  std::string label;
  std::uint64_t epoch = 0;
  std::uint64_t change = 0;
  std::uint64_t tombstones_from = 0;
  std::size_t min_pin_length = 0;
  std::size_t max_pin_length = 0;
};

/// A row of table unlock_method, and how often it was tried in vain.
struct UnlockMethod {
  WrappedKey wrapped;  ///< covered when the store is sealed
  int failures = 0;
  int retry_limit = 0;  ///< 0: unlimited
  bool locked() const { return retry_limit > 0 && failures >= retry_limit; }
};

/// What a sealed store has beside its PINs: the secret that its sealing key is derived from, twice.
struct Seal {
  Bytes blob;           ///< as the machine's sealer gave it (token/sealer.h)
  WrappedKey recovery;  ///< under the recovery code
};

/// A row of table object; views are valid while it is being visited.
struct ObjectRow {
  ObjectId id = 0;
  ByteView attributes;
  ByteView sealed;
};
using RowVisitor = std::function<void(const ObjectRow&)>;

/// An index of table object.
enum class Column : std::uint8_t { object_class, id_hash, label_hash };

/// Hash of a value in the columns id_hash and label_hash (FNV-1a, 64 bit).
std::int64_t index_hash(ByteView value) noexcept;

class StoreFile {
 public:
  /// Opens the store in that directory, read-only when it cannot be written. Upgrades its tables when they are old.
  /// store_newer, store_corrupt, permission_denied, device_error.
  static Result<StoreFile> open(const std::filesystem::path& directory);

  /// What a new store starts with.
  struct Founding {
    std::string serial;
    std::string label;
    KeystoreSettings settings;
    WrappedKey so_key;
  };
  /// Makes the database of a new token in an empty directory and closes it, all of it on disk.
  static Status create(const std::filesystem::path& directory, const Founding& founding);

  StoreFile() = default;
  StoreFile(StoreFile&&) noexcept = default;
  StoreFile& operator=(StoreFile&& other) noexcept;
  ~StoreFile();
  /// For a connection inherited through fork(): lets go of it without touching the file.
  void close_inherited();

  bool writable() const { return writable_; }
  /// device_removed when the database at that path is no longer the one that is open.
  Status check_in_place() const;
  TryCounter try_counter() const { return TryCounter(directory_ / tries_name); }

  Result<Meta> meta();
  Result<std::optional<UnlockMethod>> unlock_method(Role role);
  /// Absent when the store is not sealed. store_corrupt when half of it is missing.
  Result<std::optional<Seal>> seal();

  /// One object; false when there is none.
  Result<bool> read(ObjectId id, const RowVisitor& visit);
  /// Objects in order of id.
  Status read_all(const RowVisitor& visit);
  /// The ids of all objects, from an index: they may be had where the table itself is damaged.
  Status read_ids(const std::function<void(ObjectId)>& visit);
  /// At most `limit` objects whose column has the value, in order of id.
  Status read_where(Column column, std::int64_t value, std::size_t limit, const RowVisitor& visit);
  /// What changed after `change`: rows written, then ids gone.
  Status read_changes(std::uint64_t change, const RowVisitor& written, const std::function<void(ObjectId)>& gone);

  // Inside a transaction.
  Status begin();
  Status commit();
  void rollback() noexcept;
  /// Takes the next change number and `count` ids; answers the first id.
  Result<ObjectId> next_change(std::size_t count);
  Status insert(ObjectId id, std::uint64_t change, const AttributeSet& attributes, const Bytes* sealed);
  Status update(ObjectId id, std::uint64_t change, const AttributeSet& attributes, const Bytes* sealed);
  /// object_handle_invalid when there is none.
  Status remove(ObjectId id, std::uint64_t change);
  Status put_unlock_method(Role role, const WrappedKey& wrapped, int retry_limit);
  /// Seals the store, or takes the seal off, when PINs are given as they shall be: covered or not. Nothing of the
  /// former rows stays in the file.
  Status replace_unlock_methods(const std::vector<std::pair<Role, UnlockMethod>>& pins,
                                const std::optional<Seal>& seal);
  /// After the commit of that: empties the write-ahead log, which may hold the former rows, as far as nobody reads it.
  void forget_log() { connection_.try_checkpoint(); }
  /// Empties the store under a new epoch and label; unlock methods and seal go too.
  Status restart(std::string_view label, const KeystoreSettings& settings);

  /// PRAGMA integrity_check; one finding a line, none when all is well.
  Result<std::vector<std::string>> integrity();

 private:
  enum class Sql : std::uint8_t;
  static constexpr std::size_t sql_count = 24;

  static Result<Connection> connect(const std::filesystem::path& directory, bool writable);
  Status configure();
  Result<Cursor> query(Sql which);
  Status put_seal_row(int kind, const WrappedKey& row);
  Result<std::optional<WrappedKey>> seal_row(int kind);
  void finalize() noexcept;

  std::filesystem::path directory_;
  Connection connection_;
  std::array<sqlite3_stmt*, sql_count> statements_{};
  bool writable_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace cardea::keystore
