#include "keystore/schema.h"

#include <array>

namespace cardea::keystore {
namespace {

constexpr std::int64_t application_id = 0x43617264;  // "Card": what file(1) and we know the file by

// Step n brings layout n to n + 1. A step that was released is never changed; a new layout appends one.
//
// meta           one row. epoch: goes up with every initialisation, so that other processes forget the old master key.
//                change: goes up with every write of objects. next_id: ids are given from here and never reused.
//                tombstones_from: changes before this one left no complete tombstones; who is behind reads all anew.
// unlock_method  how the master key is had: role 1 user, 2 security officer; kind 1 PIN through Argon2id, 2 the same in
// a
//                sealed store, wrapped once more under the sealing key. Role 0 in a sealed store: the secret from which
//                the sealing key is derived, kind 3 as the machine's sealer gave it, 4 under the recovery code through
//                Argon2id.
// object         public attributes as AttributeSet's block; sealed: see seal.h, null for unsealed public objects.
//                Hashes (FNV-1a, 64 bit) index CKA_ID and CKA_LABEL in little space; the attributes decide.
constexpr std::array steps{
    R"sql(
CREATE TABLE meta (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  serial TEXT NOT NULL,
  label TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  change INTEGER NOT NULL,
  next_id INTEGER NOT NULL,
  tombstones_from INTEGER NOT NULL,
  min_pin_length INTEGER NOT NULL,
  max_pin_length INTEGER NOT NULL
);
CREATE TABLE unlock_method (
  id INTEGER PRIMARY KEY,
  role INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  memory_kib INTEGER NOT NULL,
  iterations INTEGER NOT NULL,
  lanes INTEGER NOT NULL,
  salt BLOB NOT NULL,
  sealed BLOB NOT NULL,
  retry_limit INTEGER NOT NULL,
  UNIQUE (role, kind)
);
CREATE TABLE object (
  id INTEGER PRIMARY KEY,
  change INTEGER NOT NULL,
  class INTEGER NOT NULL,
  id_hash INTEGER,
  label_hash INTEGER,
  attributes BLOB NOT NULL,
  sealed BLOB
);
CREATE INDEX object_change ON object (change);
CREATE INDEX object_class ON object (class);
CREATE INDEX object_id_hash ON object (id_hash) WHERE id_hash IS NOT NULL;
CREATE INDEX object_label_hash ON object (label_hash) WHERE label_hash IS NOT NULL;
CREATE TABLE tombstone (
  change INTEGER PRIMARY KEY,
  id INTEGER NOT NULL
);
)sql",
};

// Layout n has two versions: 2n - 1, and 2n for a sealed store, for the sake of programs that know no seals.
constexpr std::int64_t newest_layout = steps.size();

constexpr std::int64_t version_of(std::int64_t layout, bool sealed) {
  return 2 * layout - (sealed ? 0 : 1);
}
constexpr std::int64_t layout_of(std::int64_t version) {
  return (version + 1) / 2;
}

Result<std::int64_t> pragma_number(Connection& connection, const char* sql) {
  CARDEA_ASSIGN(sqlite3_stmt* const statement, connection.prepare(sql));
  Result<std::int64_t> answer = Code::store_corrupt;
  {
    Cursor query(statement);
    auto row = query.next();
    if (!row) {
      answer = std::move(row).error();
    } else if (*row) {
      answer = query.number(0);
    }
  }
  sqlite3_finalize(statement);
  return answer;
}

Status run_steps(Connection& connection, std::int64_t from, bool sealed) {
  for (std::int64_t step = from; step < newest_layout; ++step) {
    CARDEA_TRY(connection.execute(steps[static_cast<std::size_t>(step)]));
  }
  return mark_sealed(connection, sealed);
}

}  // namespace

int schema_version() {
  return static_cast<int>(version_of(newest_layout, true));
}

Status mark_sealed(Connection& connection, bool sealed) {
  const std::string version = std::to_string(version_of(newest_layout, sealed));
  return connection.execute(("PRAGMA user_version = " + version).c_str());
}

Status create_schema(Connection& connection) {
  CARDEA_TRY(connection.execute(("PRAGMA application_id = " + std::to_string(application_id)).c_str()));
  return run_steps(connection, 0, /*sealed=*/false);
}

Status upgrade_schema(Connection& connection, bool writable) {
  CARDEA_ASSIGN(const std::int64_t version, pragma_number(connection, "PRAGMA user_version"));
  if (layout_of(version) == newest_layout) return {};
  if (version > schema_version()) {
    return error(Code::store_newer, "its format is version " + std::to_string(version) + ", this program knows up to " +
                                        std::to_string(schema_version()));
  }
  CARDEA_ASSIGN(const std::int64_t owner, pragma_number(connection, "PRAGMA application_id"));
  if (owner != application_id || version < 1) return error(Code::store_corrupt, "store.sqlite is no keystore");
  if (!writable) {
    return error(Code::token_write_protected, "the store has an old format and cannot be upgraded while read-only");
  }
  CARDEA_TRY(connection.execute("BEGIN IMMEDIATE"));
  // Another process may have upgraded while we waited for the lock.
  auto now = pragma_number(connection, "PRAGMA user_version");
  Status upgraded = now ? run_steps(connection, layout_of(*now), *now % 2 == 0) : Status(std::move(now).error());
  if (upgraded) upgraded = connection.execute("COMMIT");
  if (!upgraded && connection.in_transaction()) static_cast<void>(connection.execute("ROLLBACK"));
  return upgraded;
}

}  // namespace cardea::keystore
