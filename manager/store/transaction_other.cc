// What has no id of its own: roles, CRLs, claims, kept answers, settings.
#include <limits>

#include "store/transaction.h"
#include "store/transaction_rows.h"

namespace cardea::manager::store {
namespace {

constexpr std::size_t revoked_at_once = 2000;
// Nobody repeats a request with the same idempotency key after this time.
constexpr long long answers_kept_seconds = 7LL * 24 * 3600;

long long seconds(Time time) {
  return time.time_since_epoch().count();
}

Time time_of(const Value& value) {
  return Time(std::chrono::seconds(value.number));
}

Time system_time() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

Status SqlTransaction::put(const CustomRole& role) {
  CARDEA_ASSIGN(const std::string key, fold(role.name));
  const Value parameters[] = {text(key), text(role.name), text(role.scope), text(write_document(role.rights))};
  auto done = execute(
      "INSERT INTO custom_roles (name_key, name, scope, rights) VALUES (?, ?, ?, ?) ON CONFLICT (name_key) DO UPDATE "
      "SET "
      "name = excluded.name, scope = excluded.scope, rights = excluded.rights",
      parameters);
  return done ? Status() : std::move(done).error();
}

Result<std::vector<CustomRole>> SqlTransaction::custom_roles() {
  std::vector<CustomRole> out;
  const Kind kinds[] = {Kind::text, Kind::text, Kind::text};
  CARDEA_TRY(query("SELECT name, scope, rights FROM custom_roles ORDER BY name_key", {}, kinds, [&](Row row) {
    CustomRole& role = out.emplace_back();
    role.name = row[0].text;
    role.scope = row[1].text;
    return read_document(row[2].text, role.rights);
  }));
  return out;
}

struct SqlTransaction::RevokedRow {
  std::string serial;
  Time revoked_at;
  std::optional<Time> invalid_since;
  std::string reason;
};

Status SqlTransaction::revoked_part(Id ca, std::optional<Time> not_expired_at, RevokedRow& last,
                                    std::vector<RevokedRow>& rows) {
  rows.clear();
  const Value parameters[] = {
      integer(ca), integer(static_cast<long long>(last.serial.size())), text(last.serial),
      integer(not_expired_at ? seconds(*not_expired_at) : std::numeric_limits<long long>::min()),
      integer(static_cast<long long>(revoked_at_once))};
  const Kind kinds[] = {Kind::text, Kind::integer, Kind::integer, Kind::text};
  // Serial numbers have no leading zeros: of two, the longer is the greater.
  CARDEA_TRY(
      query("SELECT serial, revoked_at, invalid_since, revocation_reason FROM certificates WHERE ca = ? AND state IN "
            "('revoked', 'suspended') AND (serial_length, serial) > (?, ?) AND (not_after IS NULL OR not_after >= ?) "
            "ORDER BY "
            "serial_length, serial LIMIT ?",
            parameters, kinds, [&](Row row) -> Status {
              RevokedRow& one = rows.emplace_back();
              one.serial = row[0].text;
              one.revoked_at = time_of(row[1]);
              if (!row[2].null) one.invalid_since = time_of(row[2]);
              one.reason = row[3].text;
              return {};
            }));
  if (!rows.empty()) last = rows.back();
  return {};
}

Status SqlTransaction::revoked(Id ca, bool expired_too, const std::function<Status(const RevokedEntry&)>& sink) {
  const std::optional<Time> not_expired_at = expired_too ? std::optional<Time>() : system_time();
  RevokedRow last;
  std::vector<RevokedRow> rows;
  do {
    CARDEA_TRY(revoked_part(ca, not_expired_at, last, rows));
    for (const RevokedRow& row : rows) CARDEA_TRY(sink({row.serial, row.revoked_at, row.invalid_since, row.reason}));
  } while (rows.size() == revoked_at_once);
  return {};
}

Result<std::optional<CrlState>> SqlTransaction::crl(Id ca) {
  std::optional<CrlState> out;
  const Value parameters[] = {integer(ca)};
  const Kind kinds[] = {Kind::integer, Kind::integer, Kind::integer, Kind::bytes};
  CARDEA_TRY(query("SELECT number, this_update, next_update, der FROM crls WHERE ca = ?", parameters, kinds,
                   [&](Row row) -> Status {
                     out = CrlState{ca, static_cast<std::uint64_t>(row[0].number), time_of(row[1]), time_of(row[2]),
                                    to_bytes(view_of(row[3].text))};
                     return {};
                   }));
  return out;
}

Status SqlTransaction::put(const CrlState& crl) {
  const Value parameters[] = {integer(crl.ca), integer(static_cast<long long>(crl.number)),
                              integer(seconds(crl.this_update)), integer(seconds(crl.next_update)), bytes(crl.der)};
  auto done = execute(
      "INSERT INTO crls (ca, number, this_update, next_update, der) VALUES (?, ?, ?, ?, ?) ON CONFLICT (ca) DO UPDATE "
      "SET "
      "number = excluded.number, this_update = excluded.this_update, next_update = excluded.next_update, der = "
      "excluded.der",
      parameters);
  return done ? Status() : std::move(done).error();
}

Result<std::optional<Job>> SqlTransaction::claim_job(std::string_view daemon, Time now, std::chrono::seconds lease) {
  const EntitySql& sql = entity_sql<Job>();
  std::optional<Job> job;
  const Value parameters[] = {integer(seconds(now))};
  // Writers come one after the other (sql_store.cc). The row's own lock holds even against one that is not ours.
  const std::string_view lock = connection_.dialect() == Dialect::postgresql ? " FOR UPDATE SKIP LOCKED" : "";
  CARDEA_TRY(query(fmt::format("SELECT {} FROM jobs WHERE claimable_at IS NOT NULL AND claimable_at <= ? ORDER BY "
                               "claimable_at, id LIMIT 1{}",
                               sql.columns, lock),
                   parameters, sql.kinds, [&](Row row) -> Status {
                     CARDEA_ASSIGN(job, value_of<Job>(row));
                     return {};
                   }));
  if (!job) return job;
  job->claimed_by = daemon;
  job->claimed_until = now + lease;
  CARDEA_TRY(update_row(*job));
  ++job->revision;
  return job;
}

Result<std::optional<SqlTransaction::KeptAnswer>> SqlTransaction::kept_answer(std::string_view who,
                                                                              std::string_view key) {
  std::optional<KeptAnswer> out;
  const Value parameters[] = {text(who), text(key)};
  const Kind kinds[] = {Kind::bytes, Kind::integer, Kind::text, Kind::text, Kind::text};
  CARDEA_TRY(query("SELECT body_hash, status, body, location, etag FROM kept_answers WHERE who = ? AND answer_key = ?",
                   parameters, kinds, [&](Row row) -> Status {
                     out = KeptAnswer{to_bytes(view_of(row[0].text)), static_cast<int>(row[1].number), row[2].text,
                                      row[3].text, row[4].text};
                     return {};
                   }));
  return out;
}

Status SqlTransaction::keep_answer(std::string_view who, std::string_view key, const KeptAnswer& answer) {
  const long long now = seconds(system_time());
  const Value too_old[] = {integer(now - answers_kept_seconds)};
  auto removed = execute("DELETE FROM kept_answers WHERE kept_at < ?", too_old);
  if (!removed) return std::move(removed).error();
  const Value parameters[] = {text(who),
                              text(key),
                              integer(now),
                              bytes(answer.body_hash),
                              integer(answer.status),
                              text(answer.body),
                              text(answer.location),
                              text(answer.etag)};
  // Status 0 is a request that was begun, 1 one that failed before anything was done: what follows takes their place.
  CARDEA_ASSIGN(
      const long long rows,
      execute("INSERT INTO kept_answers (who, answer_key, kept_at, body_hash, status, body, location, etag) VALUES "
              "(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (who, answer_key) DO UPDATE SET kept_at = excluded.kept_at, "
              "body_hash = excluded.body_hash, status = excluded.status, body = excluded.body, "
              "location = excluded.location, etag = excluded.etag WHERE "
              "kept_answers.status = 1 OR (kept_answers.status = 0 AND excluded.status <> 0)",
              parameters));
  return rows == 1 ? Status() : error(Code::exists, "this idempotency key was used before");
}

Result<std::optional<std::string>> SqlTransaction::setting(std::string_view name) {
  std::optional<std::string> out;
  const Value parameters[] = {text(name)};
  const Kind kinds[] = {Kind::text};
  CARDEA_TRY(query("SELECT value FROM settings WHERE name = ?", parameters, kinds, [&](Row row) -> Status {
    out = row[0].text;
    return {};
  }));
  return out;
}

Status SqlTransaction::put_setting(std::string_view name, std::string_view value) {
  const Value parameters[] = {text(name), text(value)};
  auto done = execute(
      "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      parameters);
  return done ? Status() : std::move(done).error();
}

}  // namespace cardea::manager::store
