// The table unlock_method: PINs, and the seal over them.
#include <limits>

#include "keystore/store_statements.h"

namespace cardea::keystore {
namespace {

// No store that we wrote holds more (config.cc bounds what may be set); anything else is damage that would let a login
// take all memory or never end.
constexpr std::int64_t most_memory_kib = std::int64_t{4} * 1024 * 1024;
constexpr std::int64_t most_iterations = 10'000;
constexpr std::int64_t most_lanes = 64;
constexpr std::int64_t most_tries = std::numeric_limits<int>::max() / 2;

/// A number of a row that must lie within bounds.
Result<std::int64_t> bounded(const Cursor& query, int column, std::int64_t least, std::int64_t most) {
  const std::int64_t number = query.number(column);
  if (number < least || number > most) return error(Code::store_corrupt, "a PIN's description is damaged");
  return number;
}

int role_number(Role role) {
  return role == Role::security_officer ? 2 : 1;
}

// Kinds of unlock methods, see schema.cc.
constexpr int pin_kind = 1;
constexpr int covered_pin_kind = 2;
constexpr int sealer_kind = 3;
constexpr int recovery_kind = 4;

/// The columns memory_kib, iterations, lanes, salt and sealed; of a sealer's row, `described` is false and the first
/// four say nothing.
Result<WrappedKey> wrapped_key(const Cursor& query, bool described = true) {
  WrappedKey wrapped;
  if (described) {
    CARDEA_ASSIGN(const std::int64_t memory_kib, bounded(query, 0, 8, most_memory_kib));
    CARDEA_ASSIGN(const std::int64_t iterations, bounded(query, 1, 1, most_iterations));
    CARDEA_ASSIGN(const std::int64_t lanes, bounded(query, 2, 1, most_lanes));
    wrapped.cost = {.memory_kib = static_cast<std::uint32_t>(memory_kib),
                    .iterations = static_cast<std::uint32_t>(iterations),
                    .lanes = static_cast<std::uint32_t>(lanes)};
  }
  wrapped.salt = to_bytes(query.bytes(3));
  wrapped.sealed = to_bytes(query.bytes(4));
  return wrapped;
}

/// The columns role to retry_limit.
Status put_row(Cursor query, int role, int kind, const WrappedKey& wrapped, int retry_limit) {
  query.bind(role).bind(kind);
  query.bind(wrapped.cost.memory_kib).bind(wrapped.cost.iterations).bind(wrapped.cost.lanes);
  return query.bind(ByteView(wrapped.salt)).bind(ByteView(wrapped.sealed)).bind(retry_limit).run();
}

}  // namespace

Result<std::optional<UnlockMethod>> StoreFile::unlock_method(Role role) {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::unlock_method));
  CARDEA_ASSIGN(const bool row, query.bind(role_number(role)).next());
  if (!row) return std::optional<UnlockMethod>();
  CARDEA_ASSIGN(const std::int64_t retry_limit, bounded(query, 5, 0, most_tries));
  UnlockMethod method;
  CARDEA_ASSIGN(method.wrapped, wrapped_key(query));
  method.wrapped.covered = query.number(6) == covered_pin_kind;
  method.failures = try_counter().tries(role);
  method.retry_limit = static_cast<int>(retry_limit);
  return std::optional<UnlockMethod>(std::move(method));
}

Status StoreFile::put_unlock_method(Role role, const WrappedKey& wrapped, int retry_limit) {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::put_unlock_method));
  return put_row(std::move(query), role_number(role), wrapped.covered ? covered_pin_kind : pin_kind, wrapped,
                 retry_limit);
}

Result<std::optional<WrappedKey>> StoreFile::seal_row(int kind) {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::seal_row));
  CARDEA_ASSIGN(const bool row, query.bind(kind).next());
  if (!row) return std::optional<WrappedKey>();
  CARDEA_ASSIGN(WrappedKey wrapped, wrapped_key(query, kind != sealer_kind));
  return std::optional<WrappedKey>(std::move(wrapped));
}

Result<std::optional<Seal>> StoreFile::seal() {
  CARDEA_ASSIGN(auto blob, seal_row(sealer_kind));
  CARDEA_ASSIGN(auto recovery, seal_row(recovery_kind));
  if (!blob && !recovery) return std::optional<Seal>();
  if (!blob || !recovery) return error(Code::store_corrupt, "half of the token's seal is missing");
  return std::optional<Seal>(Seal{std::move(blob->sealed), std::move(*recovery)});
}

Status StoreFile::put_seal_row(int kind, const WrappedKey& row) {
  CARDEA_ASSIGN(Cursor query, this->query(Sql::put_unlock_method));
  return put_row(std::move(query), /*role=*/0, kind, row, /*retry_limit=*/0);
}

Status StoreFile::replace_unlock_methods(const std::vector<std::pair<Role, UnlockMethod>>& pins,
                                         const std::optional<Seal>& seal) {
  CARDEA_TRY(connection_.execute("PRAGMA secure_delete = ON; DELETE FROM unlock_method"));
  for (const auto& [role, method] : pins) CARDEA_TRY(put_unlock_method(role, method.wrapped, method.retry_limit));
  if (seal) {
    CARDEA_TRY(put_seal_row(sealer_kind, {.cost = {}, .salt = {}, .sealed = seal->blob}));
    CARDEA_TRY(put_seal_row(recovery_kind, seal->recovery));
  }
  return mark_sealed(connection_, seal.has_value());
}

}  // namespace cardea::keystore
