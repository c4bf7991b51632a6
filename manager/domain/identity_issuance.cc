#include "domain/identity_issuance.h"

#include <fmt/format.h>

#include "crypto/pkcs12.h"
#include "domain/archive.h"
#include "domain/audit_log.h"
#include "domain/authority_work.h"
#include "domain/certificate_policy.h"
#include "domain/local_ca.h"
#include "domain/one_time_code.h"

namespace cardea::manager {

namespace {

constexpr std::uint32_t password_length = 20;  // of 30 different characters: 98 bits

struct Place {
  CaRecord ca;
  bool archive = false;
};

Result<Place> read_place(const Ports& ports, const CsrIssuance& wanted) {
  Place place;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    auto policy = store.policy_by_name(wanted.policy);
    if (!policy && policy.code() == Code::not_found)
      return error(Code::arguments_bad, fmt::format("/policy: there is no certificate policy '{}'", wanted.policy));
    if (!policy) return std::move(policy).error();
    CARDEA_ASSIGN(const PolicyRules rules, read_policy(policy->document));
    place.archive = rules.archive_keys;
    CARDEA_ASSIGN(place.ca, store.ca(policy->ca));
    return {};
  }));
  if (place.archive && !wanted.person)
    return error(Code::arguments_bad, "/person: the policy archives keys, and an archived key is somebody's");
  CARDEA_ASSIGN(const auto connector, ports.authorities.connector(place.ca));
  if (connector->local() == nullptr)
    return error(
        Code::arguments_bad,
        fmt::format("/policy: keys are made here only for authorities of ours, and '{}' is not", place.ca.name));
  return place;
}

Status store_key(Transaction& store, const Actor& actor, ArchivedKey row, Certificate& certificate) {
  row.certificate = certificate.id;
  CARDEA_ASSIGN(row.id, store.insert(row));
  certificate.archived_key = row.id;
  return audit(store, actor, row.created, AuditAction::key_archived, fmt::format("archived_key:{}", row.id),
               {{"person", row.person}, {"policy", row.policy}});
}

// From here on the certificate counts and its key is in the archive: both or neither. Whoever is cut off before leaves
// the certificate to housekeeping, which revokes it.
Status hand_over(const Ports& ports, const Actor& actor, const std::optional<ArchivedKey>& sealed,
                 Certificate& certificate) {
  return ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(certificate, store.certificate(certificate.id));
    CARDEA_ASSIGN(certificate.state, after(certificate.state, "activate"));
    certificate.wish.clear();
    certificate.updated = ports.clock.now();
    if (sealed) CARDEA_TRY(store_key(store, actor, *sealed, certificate));
    return store.update(certificate);
  });
}

Result<std::vector<Bytes>> chain_of(const Ports& ports, const CaRecord& ca) {
  CARDEA_ASSIGN(const auto connector, ports.authorities.connector(ca));
  LocalCa* const local = connector->local();
  if (local == nullptr) return Code::internal;
  std::vector<Bytes> chain{local->certificate()};
  chain.insert(chain.end(), local->chain().begin(), local->chain().end());
  return chain;
}

Status put_together(const Ports& ports, const Place& place, const FreshKey& key, IssuedIdentity& identity) {
  CodeRules complexity;
  complexity.alphabet = "alphanumeric";
  complexity.min_length = complexity.max_length = password_length;
  CARDEA_ASSIGN(identity.password, random_code(complexity));
  CARDEA_ASSIGN(const auto chain, chain_of(ports, place.ca));
  CARDEA_ASSIGN(identity.pkcs12, crypto::make_pkcs12(key.pkcs8.view(), identity.certificate.der, chain,
                                                     identity.password, identity.certificate.subject));
  return {};
}

}  // namespace

Result<IssuedIdentity> issue_identity(const Ports& ports, const Actor& actor, CsrIssuance wanted,
                                      std::string_view algorithm) {
  CARDEA_TRY(require(actor, Right::certificate_issue));
  CARDEA_ASSIGN(const Place place, read_place(ports, wanted));
  CARDEA_ASSIGN(const FreshKey key, generate_decryption_key(algorithm));
  CARDEA_ASSIGN(wanted.csr, request_for_key(key.pkcs8));
  // Names are never those of the request, which has none of a person's.
  if (!wanted.person && !wanted.subject)
    return error(Code::arguments_bad, "/subject: say whose certificate it is: a person or a subject");
  // What cannot be sealed is not asked for; what the authority refuses leaves no key behind.
  std::optional<ArchivedKey> sealed;
  if (place.archive) {
    CARDEA_ASSIGN(sealed, seal_for_archive(ports.keys, *wanted.person, wanted.policy, key, ports.clock.now()));
  }
  wanted.key_made_here = true;
  IssuedIdentity identity;
  CARDEA_ASSIGN(identity.certificate, issue_for_csr(ports, actor, wanted));
  Status done = put_together(ports, place, key, identity);
  if (done) done = hand_over(ports, actor, sealed, identity.certificate);
  if (done) return identity;
  // Nobody has the key: what was issued for it is taken back.
  CARDEA_TRY(apply_at_authority(ports, actor, identity.certificate.id, RevocationOrder::Action::revoke,
                                RevocationReason::cessation_of_operation, std::nullopt));
  return std::move(done).error();
}

}  // namespace cardea::manager
