// Recovery of archived keys as PKCS#12 (requirements K2 to K4). Recovery onto a token is a job (planners.cc).
#include <fmt/format.h>

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

Status recover_one(Transaction& store, const Ports& ports, const Actor& actor, const ArchivedKey& key, Id request,
                   RecoveredKeys& out) {
  CARDEA_ASSIGN(const Certificate certificate, store.certificate(*key.certificate));
  CARDEA_ASSIGN(std::string reason, why_not(store, key, certificate));
  if (!reason.empty()) {
    out.left_out.push_back(std::move(reason));
    return {};
  }
  CARDEA_ASSIGN(const SecretBytes pkcs8, read_archived_key(store, ports.keys, key, actor, ports.clock.now(),
                                                           fmt::format("recovery by request {}", request)));
  CodeRules complexity;
  complexity.alphabet = "alphanumeric";
  complexity.min_length = complexity.max_length = password_length;
  RecoveredIdentity identity;
  CARDEA_ASSIGN(identity.password, random_code(complexity));
  identity.name = certificate.subject + " " + certificate.serial;
  CARDEA_ASSIGN(identity.pkcs12,
                crypto::make_pkcs12(pkcs8.view(), certificate.der, {}, identity.password, identity.name));
  out.identities.push_back(std::move(identity));
  return {};
}

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

}  // namespace

Result<RecoveredKeys> recover_as_pkcs12(const Ports& ports, const Actor& actor, Id id) {
  RecoveredKeys out;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    out = RecoveredKeys();
    CARDEA_ASSIGN(Request request, store.request(id));
    CARDEA_TRY(check_recovery(store, actor, request));
    CARDEA_ASSIGN(const auto keys, wanted_keys(store, request));
    for (const auto& key : keys) CARDEA_TRY(recover_one(store, ports, actor, key, id, out));
    CARDEA_ASSIGN(request.state, after(request.state, "collect"));
    CARDEA_ASSIGN(request.state, after(request.state, "complete"));
    request.updated = ports.clock.now();
    return store.update(request);
  }));
  return out;
}

}  // namespace cardea::manager
