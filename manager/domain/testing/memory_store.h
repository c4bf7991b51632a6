// A store in memory for tests of the domain: one lock, transactions on a copy that replaces the original when they
// succeed.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>

#include "domain/audit.h"
#include "domain/store.h"

namespace cardea::manager::testing {

/// Everything that is kept.
struct MemoryState {
#define CARDEA_ENTITY(Type, singular, plural) std::map<Id, Type> plural##_rows;
#include "domain/entities.def"
#undef CARDEA_ENTITY
  Id next_id = 1;
  std::map<std::string, CustomRole> roles;
  std::map<Id, CrlState> crls;
  std::vector<AuditEvent> events;
  std::optional<AuditTail> tail;
  std::optional<AuditHead> head;
  std::map<std::string, Transaction::KeptAnswer> answers;
  std::map<std::string, std::string> settings;
};

class MemoryTransaction : public Transaction {
 public:
  explicit MemoryTransaction(MemoryState& state) : state_(state) {}

#define CARDEA_ENTITY(Type, singular, plural)                                    \
  Result<Id> insert(const Type& value) override {                                \
    Type row = value;                                                            \
    row.id = state_.next_id++;                                                   \
    if (auto taken = check_unique(row); !taken) return std::move(taken).error(); \
    state_.plural##_rows[row.id] = row;                                          \
    return row.id;                                                               \
  }                                                                              \
  Status update(const Type& value) override {                                    \
    auto found = state_.plural##_rows.find(value.id);                            \
    if (found == state_.plural##_rows.end()) return Code::not_found;             \
    found->second = value;                                                       \
    return {};                                                                   \
  }                                                                              \
  Result<Type> singular(Id id) override {                                        \
    auto found = state_.plural##_rows.find(id);                                  \
    if (found == state_.plural##_rows.end()) return missing(#singular, id);      \
    return found->second;                                                        \
  }                                                                              \
  Result<Page<Type>> plural(const Filter& filter) override {                     \
    Page<Type> page;                                                             \
    const Id from = filter.cursor.empty() ? 0 : std::stoll(filter.cursor);       \
    for (const auto& [id, row] : state_.plural##_rows) {                         \
      if (id <= from || !matches(row, filter)) continue;                         \
      if (page.items.size() == filter.limit) {                                   \
        page.cursor = std::to_string(page.items.back().id);                      \
        break;                                                                   \
      }                                                                          \
      page.items.push_back(row);                                                 \
    }                                                                            \
    return page;                                                                 \
  }
#include "domain/entities.def"
#undef CARDEA_ENTITY

  Result<Person> person_by_name(std::string_view name) override {
    return first(state_.people_rows, [&](const auto& row) { return row.name == name; });
  }
  Result<Token> token_by_serial(std::string_view kind, std::string_view serial) override {
    return first(state_.tokens_rows, [&](const auto& row) { return row.kind == kind && row.serial == serial; });
  }
  Result<Profile> profile_by_name(std::string_view name) override {
    return first(state_.profiles_rows, [&](const auto& row) { return row.name == name; });
  }
  Result<CaRecord> ca_by_name(std::string_view name) override {
    return first(state_.cas_rows, [&](const auto& row) { return row.name == name; });
  }
  Result<CertificatePolicy> policy_by_name(std::string_view name) override {
    return first(state_.policies_rows, [&](const auto& row) { return row.name == name; });
  }
  Result<Operator> operator_by_name(std::string_view name) override {
    return first(state_.operators_rows, [&](const auto& row) { return row.name == name; });
  }
  Result<Operator> operator_by_certificate(std::string_view sha256_hex) override {
    return first(state_.operators_rows, [&](const auto& row) {
      return std::find(row.certificates.begin(), row.certificates.end(), sha256_hex) != row.certificates.end();
    });
  }
  Result<AccessToken> access_token_by_hash(ByteView sha256) override {
    return first(state_.access_tokens_rows, [&](const auto& row) { return same_bytes(row.hash, sha256); });
  }
  Result<Certificate> certificate_by_serial(Id ca, std::string_view serial) override {
    return first(state_.certificates_rows, [&](const auto& row) { return row.ca == ca && row.serial == serial; });
  }
  Result<std::optional<ArchivedKey>> archived_key_by_public_key(ByteView sha256) override {
    for (const auto& [id, row] : state_.archived_keys_rows)
      if (same_bytes(row.public_key_hash, sha256)) return std::optional(row);
    return std::optional<ArchivedKey>();
  }
  Result<std::optional<Request>> request_by_code(ByteView code_check) override {
    for (const auto& [id, row] : state_.requests_rows)
      if (same_bytes(row.code_check, code_check)) return std::optional(row);
    return std::optional<Request>();
  }
  Status put(const CustomRole& role) override {
    state_.roles[role.name] = role;
    return {};
  }
  Result<std::vector<CustomRole>> custom_roles() override {
    std::vector<CustomRole> out;
    for (const auto& [name, role] : state_.roles) out.push_back(role);
    return out;
  }
  Status remove_access_token(Id id) override {
    if (state_.access_tokens_rows.erase(id) == 0) return Code::not_found;
    return {};
  }
  Status revoked(Id ca, bool, const std::function<Status(const RevokedEntry&)>& sink) override {
    for (const auto& [id, row] : state_.certificates_rows)
      if (row.ca == ca && row.revoked_at)
        CARDEA_TRY(sink({row.serial, *row.revoked_at, row.invalid_since, row.revocation_reason}));
    return {};
  }
  Result<std::optional<CrlState>> crl(Id ca) override {
    const auto found = state_.crls.find(ca);
    return found == state_.crls.end() ? std::optional<CrlState>() : std::optional(found->second);
  }
  Status put(const CrlState& crl) override {
    state_.crls[crl.ca] = crl;
    return {};
  }
  Result<std::optional<Job>> claim_job(std::string_view daemon, Time now, std::chrono::seconds lease) override {
    for (auto& [id, job] : state_.jobs_rows) {
      const bool due =
          job.state == JobState::ready || ((job.state == JobState::waiting || job.state == JobState::undoing) &&
                                           job.next_attempt && *job.next_attempt <= now);
      if (!due || (job.claimed_until && *job.claimed_until > now)) continue;
      job.claimed_by = daemon;
      job.claimed_until = now + lease;
      return std::optional(job);
    }
    return std::optional<Job>();
  }
  Status append(AuditEvent event) override {
    event.number = state_.tail ? state_.tail->number + 1 : 1;
    event.previous = state_.tail ? state_.tail->hash : audit_chain_start();
    CARDEA_ASSIGN(event.hash, audit_hash(event));
    state_.tail = AuditTail{event.number, event.hash};
    state_.events.push_back(std::move(event));
    return {};
  }
  Result<std::optional<AuditTail>> audit_tail() override {
    return state_.tail;
  }
  Result<std::vector<AuditEvent>> audit(std::uint64_t from_number, std::size_t limit) override {
    std::vector<AuditEvent> out;
    for (const auto& event : state_.events)
      if (event.number >= from_number && out.size() < limit) out.push_back(event);
    return out;
  }
  Result<Page<AuditEvent>> audit_events(const Filter&, std::string_view subject, std::string_view action) override {
    Page<AuditEvent> page;
    for (const auto& event : state_.events)
      if ((subject.empty() || event.subject == subject) && (action.empty() || event.action == action))
        page.items.push_back(event);
    return page;
  }
  Status put(const AuditHead& head) override {
    state_.head = head;
    return {};
  }
  Result<std::optional<AuditHead>> last_audit_head() override {
    return state_.head;
  }
  Result<std::optional<KeptAnswer>> kept_answer(std::string_view who, std::string_view key) override {
    const auto found = state_.answers.find(std::string(who) + "\n" + std::string(key));
    return found == state_.answers.end() ? std::optional<KeptAnswer>() : std::optional(found->second);
  }
  Status keep_answer(std::string_view who, std::string_view key, const KeptAnswer& answer) override {
    state_.answers[std::string(who) + "\n" + std::string(key)] = answer;
    return {};
  }
  Result<std::optional<std::string>> setting(std::string_view name) override {
    const auto found = state_.settings.find(std::string(name));
    return found == state_.settings.end() ? std::optional<std::string>() : std::optional(found->second);
  }
  Status put_setting(std::string_view name, std::string_view value) override {
    state_.settings[std::string(name)] = value;
    return {};
  }

 private:
  static Error missing(std::string_view what, Id id) {
    return error(Code::not_found, "there is no " + std::string(what) + " " + std::to_string(id));
  }
  template <class Rows, class Wanted>
  static Result<typename Rows::mapped_type> first(const Rows& rows, const Wanted& wanted) {
    for (const auto& [id, row] : rows)
      if (wanted(row)) return row;
    return error(Code::not_found);
  }
  template <class Type>
  Status check_unique(const Type&) {
    return {};
  }
  Status check_unique(const Person& row) {
    return person_by_name(row.name) ? Status(error(Code::exists)) : Status();
  }
  Status check_unique(const Token& row) {
    return token_by_serial(row.kind, row.serial) ? Status(error(Code::exists)) : Status();
  }
  static bool fits(const std::optional<Id>& wanted, std::optional<Id> have) {
    return !wanted || wanted == have;
  }
  template <class Type>
  static bool matches(const Type&, const Filter&) {
    return true;
  }
  static bool matches(const Token& row, const Filter& filter) {
    return fits(filter.person, row.person) && (filter.kind.empty() || filter.kind == row.kind) &&
           (filter.state.empty() || filter.state == name(row.state));
  }
  static bool matches(const Request& row, const Filter& filter) {
    return fits(filter.person, row.person) && fits(filter.token, row.token) &&
           (filter.kind.empty() || filter.kind == row.kind) &&
           (filter.state.empty() || filter.state == name(row.state));
  }
  static bool matches(const Job& row, const Filter& filter) {
    return fits(filter.request, row.request) && fits(filter.token, row.token) &&
           (filter.state.empty() || filter.state == name(row.state));
  }
  static bool matches(const Certificate& row, const Filter& filter) {
    return fits(filter.person, row.person) && fits(filter.token, row.token) && fits(filter.ca, row.ca) &&
           (filter.state.empty() || filter.state == name(row.state)) &&
           (!filter.to || (row.not_after && *row.not_after < *filter.to)) &&
           (!filter.from || (row.not_after && *row.not_after >= *filter.from));
  }
  static bool matches(const ArchivedKey& row, const Filter& filter) {
    return fits(filter.person, row.person);
  }

  MemoryState& state_;
};

class MemoryStore : public Store {
 public:
  Status transact(const std::function<Status(Transaction&)>& work) override {
    const std::lock_guard lock(mutex_);
    MemoryState copy = state;
    MemoryTransaction transaction(copy);
    CARDEA_TRY(work(transaction));
    state = std::move(copy);
    return {};
  }
  Status read(const std::function<Status(Transaction&)>& work) override {
    const std::lock_guard lock(mutex_);
    MemoryState copy = state;
    MemoryTransaction transaction(copy);
    return work(transaction);
  }

  MemoryState state;  ///< for tests to look at

 private:
  std::mutex mutex_;
};

}  // namespace cardea::manager::testing
