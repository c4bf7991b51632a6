// The store as the domain sees it: transactions over the values of model.h. Implemented by manager/store over SQLite
// and PostgreSQL.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/model.h"

namespace cardea::manager {

/// A part of a list. `cursor` of one page is where the next starts; empty at the end.
template <class T>
struct Page {
  std::vector<T> items;
  std::string cursor;
};

/// What a list is narrowed by. Empty members do not narrow; arguments_bad when the list cannot be narrowed by one that
/// is not empty. Text matches the beginning, without regard to case, and is served by an index. A list is in the order
/// of ids; of the text found, or of the time, when it is narrowed by text, or by `from` or `to`.
struct Filter {
  std::string text;   ///< person: name, display name, e-mail; token: serial, label; certificate: subject, serial
  std::string state;  ///< by its name
  std::string kind;   ///< token, request, job
  std::optional<Id> person = {};
  std::optional<Id> token = {};
  std::optional<Id> ca = {};
  std::optional<Id> request = {};
  std::optional<Time> from = {};  ///< certificate: expires; others: created; audit: at; that time included
  std::optional<Time> to = {};    ///< that time included
  std::string department;
  std::string cursor;
  std::size_t limit = 50;  ///< 1 to 1,000
};

/// One transaction. What is read is consistent; what is written is durable when transact() has returned success, all of
/// it or nothing. `insert` gives the id; exists when another row has what is unique. `update` answers key_changed when
/// somebody else changed the row since it was read (compared by `revision`; a row may be updated several times in one
/// transaction), not_found when it is gone. After any other error the transaction cannot be used any more and fails as
/// a whole with that error.
class Transaction {
 public:
  virtual ~Transaction() = default;

#define CARDEA_ENTITY(Type, singular, plural)       \
  virtual Result<Id> insert(const Type& value) = 0; \
  virtual Status update(const Type& value) = 0;     \
  virtual Result<Type> singular(Id id) = 0;         \
  virtual Result<Page<Type>> plural(const Filter& filter) = 0;
#include "domain/entities.def"
#undef CARDEA_ENTITY

  virtual Result<Person> person_by_name(std::string_view name) = 0;
  virtual Result<Token> token_by_serial(std::string_view kind, std::string_view serial) = 0;
  virtual Result<Profile> profile_by_name(std::string_view name) = 0;
  virtual Result<CaRecord> ca_by_name(std::string_view name) = 0;
  virtual Result<CertificatePolicy> policy_by_name(std::string_view name) = 0;
  virtual Result<Operator> operator_by_name(std::string_view name) = 0;
  virtual Result<Operator> operator_by_certificate(std::string_view sha256_hex) = 0;
  virtual Result<AccessToken> access_token_by_hash(ByteView sha256) = 0;
  virtual Result<Certificate> certificate_by_serial(Id ca, std::string_view serial) = 0;
  virtual Result<std::optional<ArchivedKey>> archived_key_by_public_key(ByteView sha256) = 0;
  virtual Result<std::optional<Request>> request_by_code(ByteView code_check) = 0;

  virtual Status put(const CustomRole& role) = 0;
  virtual Result<std::vector<CustomRole>> custom_roles() = 0;
  virtual Status remove_access_token(Id id) = 0;

  /// Revoked and suspended certificates of a CA in ascending order of serial number; with `expired_too` those whose
  /// time is over (by the system's clock) as well. Streams: half a million rows must not stand in memory.
  struct RevokedEntry {
    std::string_view serial;
    Time revoked_at;
    std::optional<Time> invalid_since;
    std::string_view reason;
  };
  virtual Status revoked(Id ca, bool expired_too, const std::function<Status(const RevokedEntry&)>& sink) = 0;
  virtual Result<std::optional<CrlState>> crl(Id ca) = 0;
  virtual Status put(const CrlState& crl) = 0;

  /// Claims a job that is ready, or whose time has come, for this daemon; empty when there is none. Two daemons never
  /// get the same one (SELECT … FOR UPDATE SKIP LOCKED on PostgreSQL).
  virtual Result<std::optional<Job>> claim_job(std::string_view daemon, Time now, std::chrono::seconds lease) = 0;

  /// Appends to the hash chain; fills number, previous and hash. In the same transaction as what it tells of.
  virtual Status append(AuditEvent event) = 0;
  /// The event that was appended last, whether it is still there or not; empty before the first.
  virtual Result<std::optional<AuditTail>> audit_tail() = 0;
  virtual Result<std::vector<AuditEvent>> audit(std::uint64_t from_number, std::size_t limit) = 0;
  virtual Result<Page<AuditEvent>> audit_events(const Filter& filter, std::string_view subject,
                                                std::string_view action) = 0;
  virtual Status put(const AuditHead& head) = 0;
  virtual Result<std::optional<AuditHead>> last_audit_head() = 0;

  /// Answers of earlier requests with an idempotency key.
  struct KeptAnswer {
    Bytes body_hash;
    int status = 0;
    std::string body;
    std::string location = {};  ///< of what was made; empty: the answer had none
    std::string etag = {};      ///< the same for its entity tag
  };
  virtual Result<std::optional<KeptAnswer>> kept_answer(std::string_view who, std::string_view key) = 0;
  virtual Status keep_answer(std::string_view who, std::string_view key, const KeptAnswer& answer) = 0;

  /// Small values of the daemon itself: versions of keys, the highest time seen (clock set back).
  virtual Result<std::optional<std::string>> setting(std::string_view name) = 0;
  virtual Status put_setting(std::string_view name, std::string_view value) = 0;
};

/// Where everything is kept. Thread-safe. Errors beside those of the work: device_memory (disk full), timed_out (locked
/// too long), device_error (gone): the caller answers 503 and tries again later.
class Store {
 public:
  virtual ~Store() = default;
  /// Runs `work` in one transaction, again from the start when the database asks for it (serialisation failure), so
  /// `work` must have no other effect. Writers are grouped: many transactions, one durable commit, so `work` may run on
  /// another thread while this one waits. It must not begin a transaction itself (operation_active), and whoever calls
  /// this must not hold a lock that anybody's `work` takes.
  virtual Status transact(const std::function<Status(Transaction&)>& work) = 0;
  /// The same for work that only reads; never waits for writers.
  virtual Status read(const std::function<Status(Transaction&)>& work) = 0;
};

}  // namespace cardea::manager
