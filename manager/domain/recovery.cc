// Recovery of archived keys as PKCS#12 (requirements K2 to K4). Recovery onto a token is a job (planners.cc).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crypto/pkcs12.h"
#include "domain/archive.h"
#include "domain/audit_log.h"
#include "domain/one_time_code.h"

namespace cardea::manager {

namespace {

constexpr std::uint32_t password_length = 20;  // of 30 different characters: 98 bits

// The keys that a request names: all, the latest, or those of a list, which must be this person's.
Result<std::vector<ArchivedKey>> wanted_keys(Transaction& store, const Request& request) {
  const json::value* wanted = request.parameters.if_contains("keys");
  if (wanted == nullptr || !wanted->is_array()) {
    const bool latest = wanted != nullptr && wanted->is_string() && wanted->get_string() == "latest";
    return key_history(store, request.person, latest ? 1 : 1000);
  }
  std::vector<ArchivedKey> keys;
  for (const auto& id : wanted->get_array()) {
    auto key = store.archived_key(id.is_int64() ? id.get_int64() : 0);
    if (!key && key.code() != Code::not_found) return std::move(key).error();
    if (!key || key->person != request.person)
      return error(Code::permission_denied, "the request names an archived key that is not this person's");
    if (key->certificate) keys.push_back(std::move(*key));
  }
  return keys;
}

// Empty: the key may leave as a file.
Result<std::string> why_not(Transaction& store, const ArchivedKey& key, const Certificate& certificate) {
  CARDEA_ASSIGN(const KeyStorage storage, recovery_storage(store, key));
  if (storage == KeyStorage::software || storage == KeyStorage::both) return std::string();
  return fmt::format("certificate {}: the policy '{}' lets its keys back onto {} only", certificate.serial, key.policy,
                     storage == KeyStorage::hardware ? "hardware" : "nothing");
}

// What is recovered by a request as it stands: the keys that may leave, and why others may not.
struct Recovery {
  Request request;
  std::vector<std::pair<ArchivedKey, Certificate>> keys;
  std::vector<std::string> left_out;
};

Status check_recovery(Transaction& store, const Actor& actor, const Request& request) {
  CARDEA_ASSIGN(const Person person, store.person(request.person));
  if (!actor.operator_id) return error(Code::permission_denied, "only an operator recovers keys");
  CARDEA_TRY(require(actor, Right::recovery_request, person));
  if (request.kind != "recover" || !request.parameters.contains("to") || request.parameters.at("to") != "pkcs12")
    return error(Code::action_prohibited, "this request is not for a recovery as PKCS#12");
  // Counted here again: a row that was changed by hand must not open the archive.
  std::size_t others = 0;
  for (std::size_t i = 0; i < request.approvals.size(); ++i) {
    bool distinct = request.approvals[i].operator_id != request.requested_by;
    for (std::size_t j = 0; j < i; ++j)
      distinct = distinct && request.approvals[i].operator_id != request.approvals[j].operator_id;
    others += distinct ? 1 : 0;
  }
  if (request.state != RequestState::approved || others < 2)
    return error(
        Code::action_prohibited,
        fmt::format("the recovery is {}; {} of 2 different operators have approved it", name(request.state), others));
  return {};
}

Result<Recovery> read_recovery(Transaction& store, const Actor& actor, Id id) {
  Recovery recovery;
  CARDEA_ASSIGN(recovery.request, store.request(id));
  CARDEA_TRY(check_recovery(store, actor, recovery.request));
  CARDEA_ASSIGN(const auto keys, wanted_keys(store, recovery.request));
  for (const auto& key : keys) {
    CARDEA_ASSIGN(Certificate certificate, store.certificate(*key.certificate));
    CARDEA_ASSIGN(std::string reason, why_not(store, key, certificate));
    if (reason.empty()) recovery.keys.emplace_back(key, std::move(certificate));
    if (!reason.empty()) recovery.left_out.push_back(std::move(reason));
  }
  return recovery;
}

bool same_keys(const Recovery& a, const Recovery& b) {
  return a.left_out == b.left_out &&
         std::equal(a.keys.begin(), a.keys.end(), b.keys.begin(), b.keys.end(), [](const auto& one, const auto& other) {
           return one.first.id == other.first.id && one.first.sealed_key == other.first.sealed_key &&
                  one.second.der == other.second.der;
         });
}

Result<RecoveredIdentity> packed(KeyToken& keys, const ArchivedKey& key, const Certificate& certificate) {
  CARDEA_ASSIGN(const SecretBytes pkcs8, open_archived_key(keys, key));
  CodeRules complexity;
  complexity.alphabet = "alphanumeric";
  complexity.min_length = complexity.max_length = password_length;
  RecoveredIdentity identity;
  CARDEA_ASSIGN(identity.password, random_code(complexity));
  identity.name = certificate.subject + " " + certificate.serial;
  CARDEA_ASSIGN(identity.pkcs12,
                crypto::make_pkcs12(pkcs8.view(), certificate.der, {}, identity.password, identity.name));
  return identity;
}

// The request is looked at again: of two who ask at once one gets the keys, and what was withdrawn meanwhile gives
// none.
Status record_recovery(Transaction& store, const Ports& ports, const Actor& actor, const Recovery& recovery) {
  CARDEA_ASSIGN(Recovery now, read_recovery(store, actor, recovery.request.id));
  if (!same_keys(now, recovery))
    return error(Code::action_prohibited,
                 "the person's archived keys or their policies were changed meanwhile: ask for them again");
  Request& request = now.request;
  request.updated = ports.clock.now();
  for (const auto& [key, certificate] : now.keys)
    CARDEA_TRY(record_key_read(store, key, actor, request.updated, fmt::format("recovery by request {}", request.id)));
  CARDEA_ASSIGN(request.state, after(request.state, "collect"));
  CARDEA_ASSIGN(request.state, after(request.state, "complete"));
  return store.update(request);
}

}  // namespace

Result<RecoveredKeys> recover_as_pkcs12(const Ports& ports, const Actor& actor, Id id) {
  Recovery recovery;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(recovery, read_recovery(store, actor, id));
    return {};
  }));
  RecoveredKeys out;
  for (const auto& [key, certificate] : recovery.keys) {
    CARDEA_ASSIGN(RecoveredIdentity identity, packed(ports.keys, key, certificate));
    out.identities.push_back(std::move(identity));
  }
  // Nothing of it has left: only now that the reading is written down, and the request used up, is it handed out.
  CARDEA_TRY(ports.store.transact([&](Transaction& store) { return record_recovery(store, ports, actor, recovery); }));
  out.left_out = std::move(recovery.left_out);
  return out;
}

}  // namespace cardea::manager
