#include "domain/certificates.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "domain/audit_log.h"
#include "domain/authority_work.h"
#include "domain/cause.h"
#include "domain/certificate_policy.h"
#include "domain/key_proof.h"
#include "domain/open_issuances.h"

namespace cardea::manager {

namespace {

struct Prepared {
  CertificateAndCa intent;
  IssuanceRequest request;
};

// Rights, names and the intent, in one transaction.
Status prepare(Transaction& store, const Actor& actor, const CsrIssuance& wanted, ByteView spki, Time now,
               Prepared& out) {
  auto policy = store.policy_by_name(wanted.policy);
  if (!policy && policy.code() != Code::not_found) return std::move(policy).error();
  if (!policy || !policy->enabled)
    return error(Code::arguments_bad,
                 fmt::format("/policy: there is no certificate policy '{}' in use", wanted.policy));
  CARDEA_ASSIGN(out.intent.ca, store.ca(policy->ca));
  if (!out.intent.ca.enabled)
    return error(Code::action_prohibited,
                 fmt::format("the certification authority '{}' is switched off", out.intent.ca.name));
  CARDEA_ASSIGN(const PolicyRules rules, read_policy(policy->document));
  out.request = IssuanceRequest();
  out.request.profile = policy->ca_profile;
  out.request.csr = wanted.csr;
  out.request.subject = wanted.subject;
  out.request.alternative_names = wanted.alternative_names;
  out.request.validity = wanted.validity;
  if (rules.lifetime_days > 0) {
    const std::chrono::seconds most = std::chrono::days(rules.lifetime_days);
    out.request.validity = wanted.validity ? std::min(*wanted.validity, most) : most;
  }
  if (wanted.person) {
    CARDEA_ASSIGN(const Person person, store.person(*wanted.person));
    CARDEA_TRY(require(actor, Right::certificate_issue, person));
    CARDEA_ASSIGN(const MappedAttributes mapped, map_attributes(rules, person, nullptr));
    out.request.subject = mapped.subject;
    out.request.alternative_names = mapped.alternative_names;
    out.request.extensions = mapped.extensions;
  } else if (actor.scopes[static_cast<std::size_t>(Right::certificate_issue)] != Scope::all) {
    return error(Code::permission_denied,
                 "a certificate for nobody in particular needs the right certificate_issue over all");
  }
  Certificate intent;
  intent.ca = policy->ca;
  intent.policy = policy->name;
  intent.person = wanted.person;
  intent.subject = out.request.subject.value_or("");
  CARDEA_ASSIGN(intent.public_key_hash, crypto::digest(Hash::sha256, spki));
  intent.wish = wish_document(out.request);
  if (wanted.key_made_here) intent.wish[not_handed_over] = true;
  CARDEA_ASSIGN(intent.id, record_intent(store, actor, intent, now));
  out.request.id = issuance_id(intent.id);
  out.intent.certificate = std::move(intent);
  return {};
}

Status select(Transaction& store, const RevocationOrder& order, std::vector<Certificate>& out) {
  out.clear();
  for (const Id id : order.certificates) {
    CARDEA_ASSIGN(auto one, store.certificate(id));
    out.push_back(std::move(one));
  }
  if (!order.certificates.empty()) return {};
  Filter filter;
  filter.person = order.person;
  filter.token = order.token;
  filter.limit = 1000;
  do {
    CARDEA_ASSIGN(auto page, store.certificates(filter));
    std::move(page.items.begin(), page.items.end(), std::back_inserter(out));
    filter.cursor = page.cursor;
  } while (!filter.cursor.empty());
  // Of somebody's or a token's certificates those that the order makes sense for; named ones are answered one by one.
  std::erase_if(out, [&](const Certificate& one) {
    const std::string_view event = order.action == RevocationOrder::Action::revoke    ? "revoke"
                                   : order.action == RevocationOrder::Action::suspend ? "suspend"
                                                                                      : "unsuspend";
    return !after(one.state, event);
  });
  return {};
}

Status check_order(const RevocationOrder& order, Time now) {
  if (order.certificates.empty() && !order.person && !order.token)
    return error(Code::arguments_bad, "nothing says which certificates: name them, a person or a token");
  if (order.certificates.size() > 10000) return error(Code::arguments_bad, "/certificates: at most 10000 at once");
  if (order.action == RevocationOrder::Action::revoke && !order.reason.empty())
    if (auto reason = revocation_reason(order.reason);
        !reason || *reason == RevocationReason::certificate_hold || *reason == RevocationReason::remove_from_crl)
      return error(Code::arguments_bad,
                   "/reason: " + (reason ? std::string("is no reason to revoke for good") : reason.error().detail));
  if (order.invalid_since && *order.invalid_since > now)
    return error(Code::arguments_bad, "/invalid_since: lies in the future");
  return {};
}

}  // namespace

Result<Certificate> issue_for_csr(const Ports& ports, const Actor& actor, const CsrIssuance& wanted) {
  CARDEA_TRY(require(actor, Right::certificate_issue));
  CARDEA_ASSIGN(const Bytes spki, key_of_request(wanted.csr));
  const Time now = ports.clock.now();
  Prepared prepared;
  CARDEA_TRY(
      ports.store.transact([&](Transaction& store) { return prepare(store, actor, wanted, spki, now, prepared); }));
  Certificate answer = prepared.intent.certificate;
  CARDEA_ASSIGN(const Settlement settlement,
                settle(ports, actor, prepared.intent, prepared.request,
                       [&](Transaction&, Certificate& row, const Settlement& settled) -> Status {
                         if (!wanted.key_made_here) CARDEA_TRY(make_live(row, settled, now));
                         answer = row;
                         return {};
                       }));
  if (settlement.state == Settlement::State::pending && answer.state == CertificateState::requested)
    return error(Code::timed_out, settlement.text);
  if (settlement.state != Settlement::State::refused) return answer;
  if (answer.state == CertificateState::issued)
    if (auto revoked = apply_at_authority(ports, actor, answer.id, RevocationOrder::Action::revoke,
                                          RevocationReason::cessation_of_operation, std::nullopt);
        !revoked)
      return std::move(revoked).error();
  return error(Code::action_prohibited, settlement.text);
}

Result<std::vector<RevocationLine>> revoke_certificates(const Ports& ports, const Actor& actor,
                                                        const RevocationOrder& order) {
  CARDEA_TRY(require(actor, Right::certificate_revoke));
  CARDEA_TRY(check_order(order, ports.clock.now()));
  std::vector<Certificate> wanted;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_TRY(select(store, order, wanted));
    for (const auto& one : wanted) {
      if (!one.person) continue;
      CARDEA_ASSIGN(const Person person, store.person(*one.person));
      CARDEA_TRY(require(actor, Right::certificate_revoke, person));
    }
    return {};
  }));
  const RevocationReason reason = order.reason.empty() ? RevocationReason::unspecified : reason_for(order.reason);
  std::vector<RevocationLine> lines;
  for (const auto& one : wanted) {
    auto done = apply_at_authority(ports, actor, one.id, order.action, reason, order.invalid_since);
    std::string problem = done ? *done : cause(done.error());
    lines.push_back({one.id, problem.empty(), std::move(problem)});
  }
  return lines;
}

Result<std::size_t> sweep_expired(const Ports& ports, std::size_t limit) {
  std::size_t swept = 0;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    swept = 0;
    const Time now = ports.clock.now();
    for (const auto state : {CertificateState::active, CertificateState::superseded, CertificateState::issued,
                             CertificateState::suspended}) {
      Filter filter;
      filter.state = name(state);
      filter.to = now;
      filter.limit = std::clamp<std::size_t>(limit - std::min(limit, swept), 1, 1000);
      CARDEA_ASSIGN(auto page, store.certificates(filter));
      for (auto& one : page.items) {
        if (!one.not_after || *one.not_after > now || swept >= limit) continue;
        CARDEA_ASSIGN(one.state, after(one.state, "expire"));
        one.updated = now;
        CARDEA_TRY(store.update(one));
        ++swept;
      }
    }
    return {};
  }));
  return swept;
}

}  // namespace cardea::manager
