#include "keystore/store_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>

#include "keystore/schema.h"
#include "keystore/store_statements.h"

namespace cardea::keystore {

namespace {

// Tombstones serve processes that are a little behind; one that slept longer reads everything anew.
constexpr std::uint64_t tombstones_kept = 8192;
constexpr std::uint64_t prune_every = 1024;

constexpr std::array sql_texts{
    "BEGIN IMMEDIATE",
    "COMMIT",
    "SELECT serial, label, epoch, change, tombstones_from, min_pin_length, max_pin_length FROM meta",
    "SELECT memory_kib, iterations, lanes, salt, sealed, retry_limit, kind FROM unlock_method"
    " WHERE role = ?1 AND kind IN (1, 2)",
    "SELECT id, attributes, sealed FROM object WHERE id = ?1",
    "SELECT id, attributes, NULL FROM object ORDER BY id",
    "SELECT id FROM object INDEXED BY object_change",
    "SELECT id, attributes, NULL FROM object INDEXED BY object_class WHERE class = ?1 ORDER BY id LIMIT ?2",
    "SELECT id, attributes, NULL FROM object INDEXED BY object_id_hash WHERE id_hash = ?1 ORDER BY id LIMIT ?2",
    "SELECT id, attributes, NULL FROM object INDEXED BY object_label_hash WHERE label_hash = ?1 ORDER BY id LIMIT ?2",
    "SELECT id, attributes, NULL FROM object INDEXED BY object_change WHERE change > ?1",
    "SELECT id FROM tombstone WHERE change > ?1",
    "UPDATE meta SET change = change + 1, next_id = next_id + ?1 RETURNING next_id",
    "INSERT INTO object (id, change, class, id_hash, label_hash, attributes, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
    "?7)",
    "UPDATE object SET change = ?2, class = ?3, id_hash = ?4, label_hash = ?5, attributes = ?6, sealed = ?7 WHERE id = "
    "?1",
    "DELETE FROM object WHERE id = ?1",
    "INSERT INTO tombstone (change, id) VALUES (?1, ?2)",
    "DELETE FROM tombstone WHERE change <= ?1",
    "UPDATE meta SET tombstones_from = ?1",
    "INSERT INTO unlock_method (role, kind, memory_kib, iterations, lanes, salt, sealed, retry_limit)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (role, kind) DO UPDATE SET memory_kib = ?3,"
    " iterations = ?4, lanes = ?5, salt = ?6, sealed = ?7, retry_limit = ?8",
    "SELECT memory_kib, iterations, lanes, salt, sealed FROM unlock_method WHERE role = 0 AND kind = ?1",
};

/// Binds a value's hash, or null for an absent or empty value, which nobody looks for through an index.
void bind_hash(Cursor& query, const AttributeSet& attributes, CK_ATTRIBUTE_TYPE type) {
  const auto value = attributes.get(type);
  if (value && !value->empty()) {
    query.bind(index_hash(*value));
  } else {
    query.bind_null();
  }
}

void bind_row(Cursor& query, ObjectId id, std::uint64_t change, const AttributeSet& attributes, const Bytes* sealed) {
  query.bind(static_cast<std::int64_t>(id)).bind(static_cast<std::int64_t>(change));
  query.bind(static_cast<std::int64_t>(attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED)));
  bind_hash(query, attributes, CKA_ID);
  bind_hash(query, attributes, CKA_LABEL);
  query.bind(attributes.serialised());
  if (sealed != nullptr) {
    query.bind(ByteView(*sealed));
  } else {
    query.bind_null();
  }
}

Status visit_rows(Cursor& query, const RowVisitor& visit) {
  for (;;) {
    CARDEA_ASSIGN(const bool row, query.next());
    if (!row) return {};
    visit({.id = static_cast<ObjectId>(query.number(0)), .attributes = query.bytes(1), .sealed = query.bytes(2)});
  }
}

Status visit_ids(Cursor& query, const std::function<void(ObjectId)>& visit) {
  for (;;) {
    CARDEA_ASSIGN(const bool row, query.next());
    if (!row) return {};
    visit(static_cast<ObjectId>(query.number(0)));
  }
}

bool may_write(const std::filesystem::path& path) {
  return faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

/// Bytes of the write-ahead log; 0 when there is none.
off_t log_size(const std::filesystem::path& database) {
  struct stat status {};
  return stat((database.string() + "-wal").c_str(), &status) == 0 ? status.st_size : 0;
}

/// The first opener reads the whole log, which a process that ended without closing has left. Beyond this size it is
/// put away, so that its reading is paid once and not at every start.
constexpr off_t longest_log_to_open = off_t{1} << 20;

}  // namespace

std::int64_t index_hash(ByteView value) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const Byte byte : value) hash = (hash ^ byte) * 0x100000001b3;
  return static_cast<std::int64_t>(hash);
}

StoreFile& StoreFile::operator=(StoreFile&& other) noexcept {
  finalize();
  directory_ = std::move(other.directory_);
  connection_ = std::move(other.connection_);
  statements_ = std::exchange(other.statements_, {});
  writable_ = other.writable_;
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

StoreFile::~StoreFile() {
  finalize();
}

void StoreFile::finalize() noexcept {
  for (sqlite3_stmt*& statement : statements_) {
    sqlite3_finalize(statement);
    statement = nullptr;
  }
}

void StoreFile::close_inherited() {
  finalize();
  connection_.close_inherited();
}

Result<Connection> StoreFile::connect(const std::filesystem::path& directory, bool writable) {
  const std::filesystem::path database = directory / database_name;
  if (writable) return Connection::open(database, Connection::Mode::read_write);
  // Readers of a write-ahead log need a shared file beside it. Where that cannot be made and there is no log, nobody
  // writes, and the file can be read as it is.
  const bool still = log_size(database) == 0 && !may_write(directory);
  return Connection::open(database, still ? Connection::Mode::immutable : Connection::Mode::read_only);
}

Result<StoreFile> StoreFile::open(const std::filesystem::path& directory) {
  const std::filesystem::path database = directory / database_name;
  struct stat status {};
  if (lstat(database.c_str(), &status) != 0) return error(Code::token_absent, "there is no " + database.string());
  StoreFile store;
  store.directory_ = directory;
  store.device_ = status.st_dev;
  store.inode_ = status.st_ino;
  store.writable_ = may_write(directory) && may_write(database);
  CARDEA_ASSIGN(store.connection_, connect(directory, store.writable_));
  CARDEA_TRY(upgrade_schema(store.connection_, store.writable_));
  CARDEA_TRY(store.configure());
  return store;
}

Status StoreFile::configure() {
  if (!writable_) return {};
  // 2,000 pages: a checkpoint costs two waits for the disk, so it comes once in some hundred writes.
  CARDEA_TRY(connection_.execute("PRAGMA synchronous = FULL"));
  connection_.checkpoint_every(2000);
  if (log_size(directory_ / database_name) > longest_log_to_open) connection_.try_checkpoint();
  return {};
}

Status StoreFile::create(const std::filesystem::path& directory, const Founding& founding) {
  StoreFile store;
  store.writable_ = true;
  CARDEA_ASSIGN(store.connection_,
                Connection::open(directory / database_name, Connection::Mode::read_write, /*create=*/true));
  CARDEA_TRY(store.connection_.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE"));
  CARDEA_TRY(create_schema(store.connection_));
  {
    CARDEA_ASSIGN(sqlite3_stmt* const statement,
                  store.connection_.prepare("INSERT INTO meta VALUES (1, CAST(?1 AS TEXT), '', 0, 0, 1, 0, 0, 0)"));
    store.statements_[0] = statement;
    CARDEA_TRY(Cursor(statement).bind(view_of(founding.serial)).run());
    store.finalize();
  }
  CARDEA_TRY(store.restart(founding.label, founding.settings));
  CARDEA_TRY(store.put_unlock_method(Role::security_officer, founding.so_key, founding.settings.so_retry_limit));
  CARDEA_TRY(store.connection_.execute("COMMIT"));
  store.finalize();
  // Checkpointed and without a log, so that the directory can be renamed as a whole.
  return store.connection_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

Status StoreFile::check_in_place() const {
  struct stat status {};
  const std::filesystem::path database = directory_ / database_name;
  if (stat(database.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) return {};
  return error(Code::device_removed, "the token was deleted: " + directory_.string());
}

Result<Cursor> StoreFile::query(Sql which) {
  static_assert(sql_texts.size() == static_cast<std::size_t>(Sql::count));
  static_assert(sql_texts.size() <= sql_count);
  const auto index = static_cast<std::size_t>(which);
  if (statements_[index] == nullptr) {
    CARDEA_ASSIGN(statements_[index], connection_.prepare(sql_texts[index]));
  }
  return Cursor(statements_[index]);
}

Result<Meta> StoreFile::meta() {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::meta));
  CARDEA_ASSIGN(const bool row, query.next());
  if (!row) return error(Code::store_corrupt, "the store lacks its description");
  return Meta{.serial = query.text(0),
              .label = query.text(1),
              .epoch = static_cast<std::uint64_t>(query.number(2)),
              .change = static_cast<std::uint64_t>(query.number(3)),
              .tombstones_from = static_cast<std::uint64_t>(query.number(4)),
              .min_pin_length = static_cast<std::size_t>(query.number(5)),
              .max_pin_length = static_cast<std::size_t>(query.number(6))};
}

Result<bool> StoreFile::read(ObjectId id, const RowVisitor& visit) {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::read));
  CARDEA_ASSIGN(const bool row, query.bind(static_cast<std::int64_t>(id)).next());
  if (row) visit({.id = id, .attributes = query.bytes(1), .sealed = query.bytes(2)});
  return row;
}

Status StoreFile::read_all(const RowVisitor& visit) {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::read_all));
  return visit_rows(query, visit);
}

Status StoreFile::read_ids(const std::function<void(ObjectId)>& visit) {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::read_ids));
  return visit_ids(query, visit);
}

Status StoreFile::read_where(Column column, std::int64_t value, std::size_t limit, const RowVisitor& visit) {
  constexpr std::array which{Sql::by_class, Sql::by_id_hash, Sql::by_label_hash};
  CARDEA_ASSIGN(Cursor query, this->query(which[static_cast<std::size_t>(column)]));
  query.bind(value).bind(static_cast<std::int64_t>(limit));
  return visit_rows(query, visit);
}

Status StoreFile::read_changes(std::uint64_t change, const RowVisitor& written,
                               const std::function<void(ObjectId)>& gone) {
  {
    CARDEA_ASSIGN(Cursor query, this->query(Sql::rows_after));
    query.bind(static_cast<std::int64_t>(change));
    CARDEA_TRY(visit_rows(query, written));
  }
  CARDEA_ASSIGN(Cursor query, this->query(Sql::tombstones_after));
  query.bind(static_cast<std::int64_t>(change));
  return visit_ids(query, gone);
}

Status StoreFile::begin() {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::begin));
  return query.run();
}

Status StoreFile::commit() {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::commit));
  return query.run();
}

void StoreFile::rollback() noexcept {
  if (connection_.in_transaction()) static_cast<void>(connection_.execute("ROLLBACK"));
}

Result<ObjectId> StoreFile::next_change(std::size_t count) {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::next_change));
  CARDEA_ASSIGN(const bool row, query.bind(static_cast<std::int64_t>(count)).next());
  if (!row) return error(Code::store_corrupt, "the store lacks its description");
  const auto first = static_cast<ObjectId>(query.number(0)) - count;
  CARDEA_ASSIGN(const bool more, query.next());  // the update is done only when the statement has ended
  if (more) return error(Code::store_corrupt, "the store has several descriptions");
  if (!is_object_id(first) || !is_object_id(first + count)) {
    return error(Code::store_corrupt, "the store's next object number is out of range");
  }
  return first;
}

Status StoreFile::insert(ObjectId id, std::uint64_t change, const AttributeSet& attributes, const Bytes* sealed) {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::insert));
  bind_row(query, id, change, attributes, sealed);
  return query.run();
}

Status StoreFile::update(ObjectId id, std::uint64_t change, const AttributeSet& attributes, const Bytes* sealed) {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::update));
  bind_row(query, id, change, attributes, sealed);
  return query.run();
}

Status StoreFile::remove(ObjectId id, std::uint64_t change) {
  {
    CARDEA_ASSIGN(Cursor query, this->query(Sql::remove));
    CARDEA_TRY(query.bind(static_cast<std::int64_t>(id)).run());
  }
  if (connection_.changes() == 0) return Code::object_handle_invalid;
  {
    CARDEA_ASSIGN(Cursor query, this->query(Sql::add_tombstone));
    CARDEA_TRY(query.bind(static_cast<std::int64_t>(change)).bind(static_cast<std::int64_t>(id)).run());
  }
  if (change % prune_every != 0 || change <= tombstones_kept) return {};
  const auto oldest = static_cast<std::int64_t>(change - tombstones_kept);
  CARDEA_ASSIGN(Cursor prune, this->query(Sql::prune_tombstones));
  CARDEA_TRY(prune.bind(oldest).run());
  CARDEA_ASSIGN(Cursor mark, this->query(Sql::mark_pruned));
  return mark.bind(oldest).run();
}

Status StoreFile::restart(std::string_view label, const KeystoreSettings& settings) {
  CARDEA_TRY(
      connection_.execute("DELETE FROM object; DELETE FROM tombstone; DELETE FROM unlock_method;"
                          "UPDATE meta SET epoch = epoch + 1, change = change + 1, tombstones_from = change + 1"));
  CARDEA_TRY(mark_sealed(connection_, false));
  CARDEA_ASSIGN(
      sqlite3_stmt* const statement,
      connection_.prepare("UPDATE meta SET label = CAST(?1 AS TEXT), min_pin_length = ?2, max_pin_length = ?3"));
  Status done = Cursor(statement)
                    .bind(view_of(label))
                    .bind(static_cast<std::int64_t>(settings.min_pin_length))
                    .bind(static_cast<std::int64_t>(settings.max_pin_length))
                    .run();
  sqlite3_finalize(statement);
  return done;
}

Result<std::vector<std::string>> StoreFile::integrity() {
  CARDEA_ASSIGN(sqlite3_stmt* const statement, connection_.prepare("PRAGMA integrity_check"));
  std::vector<std::string> findings;
  Status failed;
  {
    Cursor query(statement);
    for (;;) {
      auto row = query.next();
      if (!row) {
        failed = std::move(row).error();
        break;
      }
      if (!*row) break;
      if (query.text(0) != "ok") findings.push_back(query.text(0));
    }
  }
  sqlite3_finalize(statement);
  if (!failed) return std::move(failed).error();
  return findings;
}

}  // namespace cardea::keystore
