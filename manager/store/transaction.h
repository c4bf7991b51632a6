// domain's Transaction over one connection.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "domain/store.h"
#include "store/connection.h"
#include "store/tables.h"

namespace cardea::manager::store {

/// Between the begin and the end of a transaction, which are the caller's.
class SqlTransaction final : public Transaction {
 public:
  explicit SqlTransaction(Connection& connection) : connection_(connection) {}

  /// What made the transaction unusable, if anything did.
  const Status& state() const noexcept { return state_; }

#define CARDEA_ENTITY(Type, singular, plural)    \
  Result<Id> insert(const Type& value) override; \
  Status update(const Type& value) override;     \
  Result<Type> singular(Id id) override;         \
  Result<Page<Type>> plural(const Filter& filter) override;
#include "domain/entities.def"
#undef CARDEA_ENTITY

  Result<Person> person_by_name(std::string_view name) override;
  Result<Token> token_by_serial(std::string_view kind, std::string_view serial) override;
  Result<Profile> profile_by_name(std::string_view name) override;
  Result<CaRecord> ca_by_name(std::string_view name) override;
  Result<CertificatePolicy> policy_by_name(std::string_view name) override;
  Result<Operator> operator_by_name(std::string_view name) override;
  Result<Operator> operator_by_certificate(std::string_view sha256_hex) override;
  Result<AccessToken> access_token_by_hash(ByteView sha256) override;
  Result<Certificate> certificate_by_serial(Id ca, std::string_view serial) override;
  Result<std::optional<ArchivedKey>> archived_key_by_public_key(ByteView sha256) override;
  Result<std::optional<Request>> request_by_code(ByteView code_check) override;

  Status put(const CustomRole& role) override;
  Result<std::vector<CustomRole>> custom_roles() override;
  Status remove_access_token(Id id) override;

  Status revoked(Id ca, bool expired_too, const std::function<Status(const RevokedEntry&)>& sink) override;
  Result<std::optional<CrlState>> crl(Id ca) override;
  Status put(const CrlState& crl) override;

  Result<std::optional<Job>> claim_job(std::string_view daemon, Time now, std::chrono::seconds lease) override;

  Status append(AuditEvent event) override;
  Result<std::optional<AuditTail>> audit_tail() override;
  Result<std::vector<AuditEvent>> audit(std::uint64_t from_number, std::size_t limit) override;
  Result<Page<AuditEvent>> audit_events(const Filter& filter, std::string_view subject,
                                        std::string_view action) override;
  Status put(const AuditHead& head) override;
  Result<std::optional<AuditHead>> last_audit_head() override;

  Result<std::optional<KeptAnswer>> kept_answer(std::string_view who, std::string_view key) override;
  Status keep_answer(std::string_view who, std::string_view key, const KeptAnswer& answer) override;

  Result<std::optional<std::string>> setting(std::string_view name) override;
  Status put_setting(std::string_view name, std::string_view value) override;

 private:
  struct RevokedRow;

  /// Connection's calls; the first failure of the database makes the transaction unusable.
  Status query(const std::string& sql, std::span<const Value> parameters, std::span<const Kind> columns,
               const RowSink& sink);
  Result<long long> execute(const std::string& sql, std::span<const Value> parameters);

  template <class T>
  Result<Id> insert_row(const T& value);
  template <class T>
  Status update_row(const T& value);
  /// Why no row was updated.
  template <class T>
  Error not_updated(Id id);
  /// The only row, or the one with the highest id, that the condition leaves.
  template <class T>
  Result<std::optional<T>> find(std::string_view condition, std::span<const Value> parameters);
  template <class T>
  Result<T> need(std::string_view condition, std::span<const Value> parameters, std::string_view what);
  template <class T>
  Result<T> by_name(std::string_view name, std::string_view what);
  template <class T>
  Result<Page<T>> list(const Filter& filter);
  Status keep_operator_certificates(Id id, const Operator& value);
  Status revoked_part(Id ca, std::optional<Time> not_expired_at, RevokedRow& last, std::vector<RevokedRow>& rows);
  Result<std::vector<AuditEvent>> events(const std::string& rest, std::span<const Value> parameters);

  Connection& connection_;
  Status state_;
  /// Rows that this transaction changed: they may be changed again with the revision they were read with.
  std::map<std::pair<const Table*, Id>, Revision> changed_;
};

}  // namespace cardea::manager::store
