#include "store/transaction.h"

#include "store/transaction_rows.h"

namespace cardea::manager::store {

Status SqlTransaction::query(const std::string& sql, std::span<const Value> parameters, std::span<const Kind> columns,
                             const RowSink& sink) {
  CARDEA_TRY(state_);
  Status done = connection_.query(sql, parameters, columns, sink);
  if (!done) state_ = done.error();
  return done;
}

Result<long long> SqlTransaction::execute(const std::string& sql, std::span<const Value> parameters) {
  CARDEA_TRY(state_);
  Result<long long> rows = connection_.execute(sql, parameters);
  if (!rows) state_ = rows.error();
  return rows;
}

#define CARDEA_GET_AND_LIST(Type, singular, plural)                        \
  Result<Type> SqlTransaction::singular(Id id) {                           \
    const Value parameters[] = {integer(id)};                              \
    return need<Type>("id = ?", parameters, fmt::format("number {}", id)); \
  }                                                                        \
  Result<Page<Type>> SqlTransaction::plural(const Filter& filter) {        \
    return list<Type>(filter);                                             \
  }
#define CARDEA_WRITE(Type, singular, plural)             \
  Result<Id> SqlTransaction::insert(const Type& value) { \
    return insert_row(value);                            \
  }                                                      \
  Status SqlTransaction::update(const Type& value) {     \
    return update_row(value);                            \
  }

#define CARDEA_ENTITY(Type, singular, plural) CARDEA_GET_AND_LIST(Type, singular, plural)
#include "domain/entities.def"
#undef CARDEA_ENTITY
CARDEA_WRITE(Person, person, people)
CARDEA_WRITE(Token, token, tokens)
CARDEA_WRITE(Profile, profile, profiles)
CARDEA_WRITE(Request, request, requests)
CARDEA_WRITE(Job, job, jobs)
CARDEA_WRITE(Certificate, certificate, certificates)
CARDEA_WRITE(ArchivedKey, archived_key, archived_keys)
CARDEA_WRITE(CaRecord, ca, cas)
CARDEA_WRITE(CertificatePolicy, policy, policies)
CARDEA_WRITE(AccessToken, access_token, access_tokens)

Status SqlTransaction::keep_operator_certificates(Id id, const Operator& value) {
  const Value whose[] = {integer(id)};
  auto removed = execute("DELETE FROM operator_certificates WHERE operator = ?", whose);
  if (!removed) return std::move(removed).error();
  for (const std::string& sha256 : value.certificates) {
    CARDEA_ASSIGN(const std::string key, fold(sha256));
    const Value parameters[] = {text(key), integer(id)};
    auto kept = execute("INSERT INTO operator_certificates (sha256, operator) VALUES (?, ?)", parameters);
    if (!kept) return std::move(kept).error();
  }
  return {};
}

// Which operator a certificate belongs to is looked up at every log-on, so it has rows of its own.
Result<Id> SqlTransaction::insert(const Operator& value) {
  CARDEA_ASSIGN(const Id id, insert_row(value));
  CARDEA_TRY(keep_operator_certificates(id, value));
  return id;
}

Status SqlTransaction::update(const Operator& value) {
  CARDEA_TRY(update_row(value));
  return keep_operator_certificates(value.id, value);
}

Result<Person> SqlTransaction::person_by_name(std::string_view name) {
  return by_name<Person>(name, "that name");
}

Result<Token> SqlTransaction::token_by_serial(std::string_view kind, std::string_view serial) {
  CARDEA_ASSIGN(const std::string key, fold(serial));
  const Value parameters[] = {text(key), text(kind)};
  return need<Token>("serial_key = ? AND kind = ?", parameters, "that serial number");
}

Result<Profile> SqlTransaction::profile_by_name(std::string_view name) {
  return by_name<Profile>(name, "that name");
}

Result<CaRecord> SqlTransaction::ca_by_name(std::string_view name) {
  return by_name<CaRecord>(name, "that name");
}

Result<CertificatePolicy> SqlTransaction::policy_by_name(std::string_view name) {
  return by_name<CertificatePolicy>(name, "that name");
}

Result<Operator> SqlTransaction::operator_by_name(std::string_view name) {
  return by_name<Operator>(name, "that name");
}

Result<Operator> SqlTransaction::operator_by_certificate(std::string_view sha256_hex) {
  CARDEA_ASSIGN(const std::string key, fold(sha256_hex));
  const Value parameters[] = {text(key)};
  return need<Operator>("id = (SELECT operator FROM operator_certificates WHERE sha256 = ?)", parameters,
                        "the owner of that certificate");
}

Result<AccessToken> SqlTransaction::access_token_by_hash(ByteView sha256) {
  const Value parameters[] = {bytes(sha256)};
  return need<AccessToken>("hash = ?", parameters, "that token");
}

Result<Certificate> SqlTransaction::certificate_by_serial(Id ca, std::string_view serial) {
  const Value parameters[] = {text(serial), integer(ca)};
  return need<Certificate>("serial = ? AND serial <> '' AND ca = ?", parameters, "that serial number");
}

Result<std::optional<ArchivedKey>> SqlTransaction::archived_key_by_public_key(ByteView sha256) {
  const Value parameters[] = {bytes(sha256)};
  return find<ArchivedKey>("public_key_hash = ?", parameters);
}

Result<std::optional<Request>> SqlTransaction::request_by_code(ByteView code_check) {
  // Requests without a code have an empty one.
  if (code_check.empty()) return std::optional<Request>();
  const Value parameters[] = {bytes(code_check)};
  return find<Request>("code_check = ?", parameters);
}

Status SqlTransaction::remove_access_token(Id id) {
  const Value parameters[] = {integer(id)};
  CARDEA_ASSIGN(const long long rows, execute("DELETE FROM access_tokens WHERE id = ?", parameters));
  if (rows == 0) return error(Code::not_found, fmt::format("number {} is not among the access tokens", id));
  return {};
}

}  // namespace cardea::manager::store
