#include "tpm/state_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <ctime>
#include <mutex>

#include "database/earlier_copy.h"
#include "tpm/directories.h"

namespace cardea::tpm {
namespace {

using database::Connection;
using database::Cursor;

constexpr std::string_view file_name = "card.sqlite";
constexpr std::int64_t application_id = 0x4361722d;  // "Car-": what file(1) and we know the file by
constexpr std::int64_t schema_version = 1;

// card    one row. change: goes up with every write. next_id: ids are given from here and never reused.
// opener  the TPM's objects by which the card's secret is had (Opener).
// fact    one row for each number about the card that is kept. Cards of older versions lack the table until there is
//         something to put in; programs of older versions do not look at it.
// object  public attributes as AttributeSet's block; seal: see seal.h; the key's two areas for private keys.
constexpr const char* schema = R"sql(
CREATE TABLE card (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  serial TEXT NOT NULL,
  label TEXT NOT NULL,
  storage_key_name BLOB NOT NULL,
  change INTEGER NOT NULL,
  next_id INTEGER NOT NULL
);
CREATE TABLE opener (
  which INTEGER PRIMARY KEY,
  public_area BLOB NOT NULL,
  private_area BLOB NOT NULL
);
CREATE TABLE object (
  id INTEGER PRIMARY KEY,
  attributes BLOB NOT NULL,
  seal BLOB NOT NULL,
  public_area BLOB,
  private_area BLOB
);
)sql";
constexpr const char* fact_schema = R"sql(
CREATE TABLE IF NOT EXISTS fact (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
);
)sql";
constexpr std::string_view rsa_fact = "rsa";  // RsaAbility::bits
constexpr std::string_view least_pin_fact = "min_pin_length";
constexpr std::string_view longest_pin_fact = "max_pin_length";

// File systems tell the time of a change by the kernel's tick, at most 10 ms; the rest is for slow ones.
constexpr std::int64_t settling_ns = 50'000'000;
constexpr std::int64_t second_ns = 1'000'000'000;

/// One transaction at a time in this process, and none while it forks: SQLite counts its locks of a file once for the
/// whole process, and a child that inherits those counts in the middle would believe them.
constinit std::mutex transactions;
// When the library is loaded, before anybody can hold it: the child of a fork that came between would find it taken.
[[maybe_unused]] const int fork_waits =
    pthread_atfork([] { transactions.lock(); }, [] { transactions.unlock(); }, [] { transactions.unlock(); });

/// Refuses to be the second one in a process that opens a card's state (database/earlier_copy.h).
Status check_only_copy() {
  const std::string other = database::earlier_copy();
  if (other.empty()) return {};
  return error(Code::locking_impossible, "this process uses another copy of the module, " + other);
}

/// A statement for one use.
class Query {
 public:
  static Result<Query> make(Connection& connection, const char* sql) {
    CARDEA_ASSIGN(sqlite3_stmt* const statement, connection.prepare(sql));
    return Query(statement);
  }
  Query(Query&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  Query& operator=(Query&&) = delete;
  ~Query() { sqlite3_finalize(statement_); }
  /// Only one at a time, and not after the query is gone.
  Cursor cursor() const { return Cursor(statement_); }

 private:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_;
};

Status run(Connection& connection, const char* sql, const std::function<void(Cursor&)>& bind) {
  CARDEA_ASSIGN(const Query query, Query::make(connection, sql));
  Cursor cursor = query.cursor();
  bind(cursor);
  return cursor.run();
}

/// Calls visit(Cursor&) for each row.
template <class Visit>
Status each_row(Connection& connection, const char* sql, Visit&& visit) {
  CARDEA_ASSIGN(const Query query, Query::make(connection, sql));
  Cursor cursor = query.cursor();
  for (;;) {
    CARDEA_ASSIGN(const bool row, cursor.next());
    if (!row) return {};
    CARDEA_TRY(visit(cursor));
  }
}

/// The one number that a statement answers.
Result<std::int64_t> number_from(Connection& connection, const char* sql) {
  std::int64_t value = 0;
  CARDEA_TRY(each_row(connection, sql, [&](Cursor& row) -> Status {
    value = row.number(0);
    return {};
  }));
  return value;
}

/// An update of the card's row that answers a number of it.
Result<std::int64_t> returning(Connection& connection, const char* sql, std::optional<std::int64_t> parameter) {
  std::optional<std::int64_t> answer;
  CARDEA_ASSIGN(const Query query, Query::make(connection, sql));
  Cursor cursor = query.cursor();
  if (parameter) cursor.bind(*parameter);
  for (;;) {  // the update is done only when the statement has ended
    CARDEA_ASSIGN(const bool row, cursor.next());
    if (!row) break;
    answer = cursor.number(0);
  }
  if (!answer) return error(Code::store_corrupt, "the card's description is missing");
  return *answer;
}

Status check_version(Connection& connection) {
  CARDEA_ASSIGN(const std::int64_t version, number_from(connection, "PRAGMA user_version"));
  CARDEA_ASSIGN(const std::int64_t owner, number_from(connection, "PRAGMA application_id"));
  if (owner != application_id) return error(Code::store_corrupt, "card.sqlite is no virtual card's state");
  if (version == schema_version) return {};
  if (version < 1) return error(Code::store_corrupt, "card.sqlite has no version");
  return error(Code::store_newer, "its format is version " + std::to_string(version) + ", this program knows up to " +
                                      std::to_string(schema_version));
}

Status read_description(Connection& connection, CardState& state) {
  bool found = false;
  CARDEA_TRY(
      each_row(connection, "SELECT serial, label, storage_key_name, change FROM card", [&](Cursor& row) -> Status {
        state.description =
            CardDescription{.serial = row.text(0), .label = row.text(1), .storage_key_name = to_bytes(row.bytes(2))};
        state.change = static_cast<std::uint64_t>(row.number(3));
        found = true;
        return {};
      }));
  if (!found) return error(Code::store_corrupt, "the card's description is missing");
  return {};
}

Status read_facts(Connection& connection, CardDescription& description) {
  CARDEA_ASSIGN(const std::int64_t tables,
                number_from(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'fact'"));
  if (tables == 0) return {};
  return each_row(connection, "SELECT name, value FROM fact", [&](Cursor& row) -> Status {
    const std::string name = row.text(0);
    const std::int64_t value = row.number(1);
    if (name == rsa_fact) description.rsa = RsaAbility{static_cast<std::uint32_t>(value)};
    if (name == least_pin_fact) description.pin_lengths.least = static_cast<std::size_t>(value);
    if (name == longest_pin_fact) description.pin_lengths.most = static_cast<std::size_t>(value);
    return {};
  });
}

Result<Openers> read_openers(Connection& connection) {
  Openers openers;
  CARDEA_TRY(each_row(connection, "SELECT which, public_area, private_area FROM opener", [&](Cursor& row) -> Status {
    openers[static_cast<Opener>(row.number(0))] = {to_bytes(row.bytes(1)), to_bytes(row.bytes(2))};
    return {};
  }));
  return openers;
}

Result<StoredObjects> read_objects(Connection& connection) {
  StoredObjects objects;
  const auto take = [&](Cursor& row) -> Status {
    StoredObject stored;
    const auto id = static_cast<ObjectId>(row.number(0));
    CARDEA_ASSIGN(AttributeSet attributes, AttributeSet::parse(row.bytes(1)));
    stored.object = std::make_shared<const Object>(Object{id, std::move(attributes)});
    stored.seal = to_bytes(row.bytes(2));
    if (!row.is_null(3)) stored.key = Blob{to_bytes(row.bytes(3)), to_bytes(row.bytes(4))};
    objects.emplace(id, std::move(stored));
    return {};
  };
  CARDEA_TRY(each_row(connection, "SELECT id, attributes, seal, public_area, private_area FROM object", take));
  return objects;
}

void bind_key(Cursor& cursor, const std::optional<Blob>& key) {
  if (key) {
    cursor.bind(key->public_area).bind(key->private_area);
  } else {
    cursor.bind_null().bind_null();
  }
}

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * second_ns + time.tv_nsec;
}

}  // namespace

bool FileStamp::operator==(const FileStamp& other) const noexcept {
  return inode == other.inode && size == other.size && nanoseconds(modified) == nanoseconds(other.modified);
}

std::filesystem::path StateFile::file() const {
  return directory_ / file_name;
}

FileStamp StateFile::stamp() const noexcept {
  struct stat status {};
  if (stat(file().c_str(), &status) != 0) return {};
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t age = nanoseconds(now) - nanoseconds(status.st_mtim);
  // A date in the future says nothing about later changes, either.
  return {status.st_ino, status.st_size, status.st_mtim, age > settling_ns};
}

bool StateFile::writable() const noexcept {
  const auto may_write = [](const std::filesystem::path& path) {
    return faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
  };
  return may_write(directory_) && may_write(file());
}

Status StateFile::create(const std::filesystem::path& directory, const CardDescription& description,
                         const Openers& openers) {
  CARDEA_TRY(check_only_copy());
  const std::lock_guard lock(transactions);
  const std::filesystem::path file = directory / file_name;
  CARDEA_ASSIGN(Connection connection, Connection::open(file, Connection::Mode::read_write, /*create=*/true));
  CARDEA_TRY(connection.execute(("PRAGMA application_id = " + std::to_string(application_id) +
                                 "; PRAGMA user_version = " + std::to_string(schema_version) +
                                 "; PRAGMA synchronous = FULL; BEGIN IMMEDIATE")
                                    .c_str()));
  CARDEA_TRY(connection.execute(schema));
  CARDEA_TRY(
      run(connection, "INSERT INTO card VALUES (1, CAST(?1 AS TEXT), CAST(?2 AS TEXT), ?3, 0, 1)", [&](Cursor& cursor) {
        cursor.bind(view_of(description.serial)).bind(view_of(description.label));
        cursor.bind(description.storage_key_name);
      }));
  CardWriter writer(connection, 0);
  for (const auto& [which, blob] : openers) CARDEA_TRY(writer.put(which, blob));
  if (description.rsa) CARDEA_TRY(writer.remember(*description.rsa));
  CARDEA_TRY(writer.remember(description.pin_lengths));
  CARDEA_TRY(connection.execute("COMMIT"));
  // For whom the directory is, the file is: nobody else, or a group of services.
  struct stat around {};
  if (stat(directory.c_str(), &around) != 0 || chown(file.c_str(), static_cast<uid_t>(-1), around.st_gid) != 0 ||
      chmod(file.c_str(), around.st_mode & (S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP)) != 0) {
    return system_error("cannot set the rights of", file);
  }
  return {};
}

Result<database::Connection> StateFile::begin_reading() const {
  CARDEA_TRY(check_only_copy());
  if (stamp().inode == 0) return error(Code::token_absent, "there is no " + file().string());
  // A journal that a killed writer left is played back by the first who may.
  const auto mode = writable() ? Connection::Mode::read_write : Connection::Mode::read_only;
  CARDEA_ASSIGN(Connection connection, Connection::open(file(), mode));
  CARDEA_TRY(connection.execute("BEGIN"));
  CARDEA_TRY(check_version(connection));
  return connection;
}

Result<std::pair<std::uint64_t, FileStamp>> StateFile::last_change() const {
  const std::lock_guard lock(transactions);
  CARDEA_ASSIGN(Connection connection, begin_reading());
  CardState state;
  CARDEA_TRY(read_description(connection, state));
  return std::pair(state.change, stamp());
}

Result<std::pair<CardState, FileStamp>> StateFile::read() const {
  const std::lock_guard lock(transactions);
  CARDEA_ASSIGN(Connection connection, begin_reading());
  CardState state;
  CARDEA_TRY(read_description(connection, state));
  // Nobody writes while we read, so this is the stamp of what we read.
  const FileStamp now = stamp();
  CARDEA_TRY(read_facts(connection, state.description));
  CARDEA_ASSIGN(state.openers, read_openers(connection));
  CARDEA_ASSIGN(state.objects, read_objects(connection));
  return std::pair(std::move(state), now);
}

Result<CardChanges> StateFile::write(const std::function<Status(CardWriter&)>& work) const {
  const std::lock_guard lock(transactions);
  if (stamp().inode == 0) return error(Code::device_removed, "the virtual card was deleted: " + directory_.string());
  if (!writable()) return Code::token_write_protected;
  CARDEA_TRY(check_only_copy());
  CARDEA_ASSIGN(Connection connection, Connection::open(file(), Connection::Mode::read_write));
  CARDEA_TRY(connection.execute("PRAGMA synchronous = FULL; BEGIN IMMEDIATE"));
  CARDEA_TRY(check_version(connection));
  CARDEA_ASSIGN(const std::int64_t change,
                returning(connection, "UPDATE card SET change = change + 1 RETURNING change", {}));
  CardWriter writer(connection, static_cast<std::uint64_t>(change));
  CARDEA_TRY(work(writer));  // closing the connection rolls back
  CARDEA_TRY(connection.execute("COMMIT"));
  return writer.changes();
}

Result<ObjectId> CardWriter::next_ids(std::size_t count) {
  CARDEA_ASSIGN(const std::int64_t next,
                returning(connection_, "UPDATE card SET next_id = next_id + ?1 RETURNING next_id",
                          static_cast<std::int64_t>(count)));
  const auto end = static_cast<ObjectId>(next);
  if (end <= count || end >> 40 != 0) return error(Code::store_corrupt, "the next object number is damaged");
  return end - count;
}

Status CardWriter::insert(const StoredObject& object) {
  changes_.written.push_back(object);
  return run(connection_, "INSERT INTO object VALUES (?1, ?2, ?3, ?4, ?5)", [&](Cursor& cursor) {
    cursor.bind(static_cast<std::int64_t>(object.object->id)).bind(object.object->attributes.serialised());
    cursor.bind(object.seal);
    bind_key(cursor, object.key);
  });
}

Status CardWriter::update(const StoredObject& object) {
  changes_.written.push_back(object);
  CARDEA_TRY(run(connection_, "UPDATE object SET attributes = ?1, seal = ?2 WHERE id = ?3", [&](Cursor& cursor) {
    cursor.bind(object.object->attributes.serialised()).bind(object.seal);
    cursor.bind(static_cast<std::int64_t>(object.object->id));
  }));
  return connection_.changes() == 0 ? Status(Code::object_handle_invalid) : Status();
}

Status CardWriter::remove(ObjectId id) {
  changes_.gone.push_back(id);
  CARDEA_TRY(run(connection_, "DELETE FROM object WHERE id = ?1",
                 [&](Cursor& cursor) { cursor.bind(static_cast<std::int64_t>(id)); }));
  return connection_.changes() == 0 ? Status(Code::object_handle_invalid) : Status();
}

Result<std::optional<Blob>> CardWriter::opener(Opener which) {
  CARDEA_ASSIGN(const Openers openers, read_openers(connection_));
  const auto found = openers.find(which);
  return found == openers.end() ? std::optional<Blob>() : found->second;
}

Status CardWriter::put(Opener which, const Blob& blob) {
  changes_.openers[which] = blob;
  return run(connection_, "INSERT OR REPLACE INTO opener VALUES (?1, ?2, ?3)", [&](Cursor& cursor) {
    cursor.bind(static_cast<std::int64_t>(which)).bind(blob.public_area).bind(blob.private_area);
  });
}

Status CardWriter::put_fact(std::string_view name, std::uint64_t value) {
  CARDEA_TRY(connection_.execute(fact_schema));
  return run(connection_, "INSERT OR REPLACE INTO fact VALUES (CAST(?1 AS TEXT), ?2)",
             [&](Cursor& cursor) { cursor.bind(view_of(name)).bind(static_cast<std::int64_t>(value)); });
}

Status CardWriter::remember(const RsaAbility& rsa) {
  changes_.rsa = rsa;
  return put_fact(rsa_fact, rsa.bits);
}

Status CardWriter::remember(const PinLengths& lengths) {
  changes_.moved = true;  // everything is read anew
  CARDEA_TRY(put_fact(least_pin_fact, lengths.least));
  return put_fact(longest_pin_fact, lengths.most);
}

Status CardWriter::move_to(ByteView storage_key_name) {
  changes_.moved = true;
  CARDEA_TRY(run(connection_, "UPDATE card SET storage_key_name = ?1",
                 [&](Cursor& cursor) { cursor.bind(storage_key_name); }));
  return connection_.execute("DELETE FROM object WHERE private_area IS NOT NULL OR length(seal) > 0");
}

}  // namespace cardea::tpm
