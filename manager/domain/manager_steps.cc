// The manager's own steps.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "domain/archive.h"
#include "domain/audit_log.h"
#include "domain/authority_work.h"
#include "domain/ca_retry.h"
#include "domain/cause.h"
#include "domain/journal_parts.h"
#include "domain/key_proof.h"

namespace cardea::manager::journal {

namespace {

// Nothing is written before all of it may be, since a refusal has to be stored with what was done.
Result<Outcome> activate(Transaction& store, const Ports& ports, JobView& view) {
  const Time now = ports.clock.now();
  Token& token = *view.token;
  std::vector<Certificate> certificates;
  for (const auto& step : view.job.steps) {
    if (step.kind != "issue_certificate" || step.state != StepState::done) continue;
    CARDEA_ASSIGN(Certificate certificate, store.certificate(number_of(step.parameters, "certificate")));
    const auto active = after(certificate.state, "activate");
    if (!active)
      return failed(
          fmt::format("certificate {} was {} while the job ran", certificate.serial, name(certificate.state)));
    certificate.state = *active;
    certificate.updated = now;
    certificates.push_back(std::move(certificate));
  }
  for (const Certificate& certificate : certificates) {
    CARDEA_TRY(store.update(certificate));
    CARDEA_TRY(audit(store, job_actor(view.job), now, AuditAction::certificate_activated,
                     fmt::format("certificate:{}", certificate.id)));
  }
  CARDEA_ASSIGN(token.state, after(token.state, token.state == TokenState::assigned ? "issue" : "update"));
  token.updated = now;
  CARDEA_TRY(store.update(token));
  return Outcome{};
}

Result<Outcome> close_token(Transaction& store, const Ports& ports, JobView& view, const Step& step) {
  CARDEA_ASSIGN(Token token, store.token(number_of(step.parameters, "token")));
  const std::string event = text_of(step.parameters, "event");
  // A token that was cancelled before its replacement came stays so.
  if (event == "cancel" && (token.state == TokenState::cancelled || token.state == TokenState::retired))
    return Outcome{};
  const auto next = after(token.state, event);
  if (!next) return failed(next.error().detail);
  token.state = *next;
  token.updated = ports.clock.now();
  CARDEA_TRY(store.update(token));
  CARDEA_TRY(audit(store, job_actor(view.job), token.updated, AuditAction::token_changed,
                   fmt::format("token:{}", token.id), {{"state", std::string(name(token.state))}}));
  if (view.token && view.token->id == token.id) view.token = token;
  return Outcome{};
}

// Which certificates a step is about.
Result<std::vector<Certificate>> certificates_of(const Ports& ports, const Step& step) {
  std::vector<Certificate> out;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    out.clear();
    if (const json::value* list = step.parameters.if_contains("certificates")) {
      for (const auto& id : list->as_array()) {
        CARDEA_ASSIGN(auto one, store.certificate(id.as_int64()));
        out.push_back(std::move(one));
      }
      return {};
    }
    Filter filter;
    filter.token = number_of(step.parameters, "token");
    filter.limit = 1000;
    CARDEA_ASSIGN(auto page, store.certificates(filter));
    out = std::move(page.items);
    return {};
  }));
  return out;
}

// When the authority of a certificate is asked again; failed when its schedule has ended (C3).
Result<Outcome> wait_for(const Ports& ports, const JobView& view, Id ca, std::string text,
                         std::optional<std::chrono::seconds> wish) {
  std::string schedule(RetrySchedule::standard);
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const CaRecord record, store.ca(ca));
    if (!record.retry_schedule.empty()) schedule = record.retry_schedule;
    return {};
  }));
  CARDEA_ASSIGN(const RetrySchedule retries, RetrySchedule::parse(schedule));
  const auto wait = retries.wait_after(view.job.ca_attempts + 1);
  if (!wait) return failed(fmt::format("{} (asked {} times)", text, view.job.ca_attempts + 1));
  return Outcome{.state = Outcome::State::waiting,
                 .problem = std::move(text),
                 .retry_after = wish ? std::max(*wish, *wait) : wait};
}

bool live(const Certificate& one) {
  return one.state == CertificateState::issued || one.state == CertificateState::active ||
         one.state == CertificateState::suspended || one.state == CertificateState::superseded;
}

Result<Outcome> change_certificates(const Ports& ports, const JobView& view, const Step& step,
                                    RevocationOrder::Action action, RevocationReason reason) {
  CARDEA_ASSIGN(const auto certificates, certificates_of(ports, step));
  for (const auto& one : certificates) {
    const bool wanted = action == RevocationOrder::Action::revoke ? live(one)
                        : action == RevocationOrder::Action::suspend
                            ? one.state == CertificateState::active || one.state == CertificateState::issued
                            : one.state == CertificateState::suspended;
    const bool expired = one.not_after && *one.not_after <= ports.clock.now();
    if (!wanted || expired) continue;
    auto problem = apply_at_authority(ports, job_actor(view.job), one.id, action, reason, std::nullopt);
    if (!problem)
      return wait_for(ports, view, one.ca, "The authority does not answer: " + cause(problem.error()), std::nullopt);
    if (!problem->empty()) return failed(fmt::format("certificate {}: {}", one.serial, *problem));
  }
  return Outcome{};
}

Result<Outcome> supersede(const Ports& ports, const JobView& view, const Step& step) {
  if (flag_of(step.parameters, "revoke"))
    return change_certificates(ports, view, step, RevocationOrder::Action::revoke, RevocationReason::superseded);
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    for (const auto& id : step.parameters.at("certificates").as_array()) {
      CARDEA_ASSIGN(Certificate certificate, store.certificate(id.as_int64()));
      if (certificate.state != CertificateState::active) continue;
      CARDEA_ASSIGN(certificate.state, after(certificate.state, "supersede"));
      certificate.updated = ports.clock.now();
      CARDEA_TRY(store.update(certificate));
      CARDEA_TRY(audit(store, job_actor(view.job), certificate.updated, AuditAction::certificate_superseded,
                       fmt::format("certificate:{}", certificate.id)));
    }
    return {};
  }));
  return Outcome{};
}

// The key is made in locked memory and leaves it only sealed; the request for its certificate is signed here.
Result<Outcome> generate_archived_key(const Ports& ports, const JobView& view, const Step& step) {
  CARDEA_ASSIGN(const FreshKey fresh, generate_decryption_key(text_of(step.parameters, "algorithm")));
  CARDEA_ASSIGN(const Bytes csr, request_for_key(fresh.pkcs8));
  CARDEA_ASSIGN(const ArchivedKey row, seal_for_archive(ports.keys, view.person.id, text_of(step.parameters, "policy"),
                                                        fresh, ports.clock.now()));
  Outcome outcome;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(Job job, store.job(view.job.id));
    Step& mine = job.steps.at(step.index);
    CARDEA_ASSIGN(const Id id, store.insert(row));
    mine.result = {{"archived_key", id}, {"csr", base64(csr)}, {"spki", base64(fresh.spki)}};
    outcome.result = mine.result;
    CARDEA_TRY(store.update(job));
    return audit(store, job_actor(job), row.created, AuditAction::key_archived, fmt::format("archived_key:{}", id),
                 {{"person", row.person}, {"policy", row.policy}});
  }));
  return outcome;
}

struct Wish {
  CertificatePolicy policy;
  PolicyRules rules;
  IssuanceRequest request;
  Bytes spki;
  std::optional<Id> archived_key;
  json::object attestation;
};

Result<Wish> wish_for(Transaction& store, const JobView& view, const Step& step) {
  Wish wish;
  const std::string container = text_of(step.parameters, "container");
  CARDEA_ASSIGN(wish.policy, store.policy_by_name(text_of(step.parameters, "policy")));
  CARDEA_ASSIGN(wish.rules, read_policy(wish.policy.document));
  CARDEA_ASSIGN(const MappedAttributes mapped,
                map_attributes(wish.rules, view.person, view.token ? &*view.token : nullptr));
  if (const Step* archived = step_before(view.job, step.index, "generate_archived_key", container)) {
    wish.archived_key = number_of(archived->result, "archived_key");
    wish.request.csr = bytes_of(archived->result, "csr");
  } else if (const Step* made = step_before(view.job, step.index, "make_request", container)) {
    wish.request.csr = bytes_of(made->result, "csr");
  }
  CARDEA_ASSIGN(wish.spki, key_of_request(wish.request.csr));
  CARDEA_ASSIGN(wish.attestation, attestation_of(view.job, step.index, container, wish.spki));
  wish.request.profile = wish.policy.ca_profile;
  wish.request.subject = mapped.subject;
  wish.request.alternative_names = mapped.alternative_names;
  wish.request.extensions = mapped.extensions;
  std::uint32_t days = wish.rules.lifetime_days;
  if (view.rules.lifetime_days > 0)
    days = days == 0 ? view.rules.lifetime_days : std::min(days, view.rules.lifetime_days);
  if (days > 0) wish.request.validity = std::chrono::days(days);
  return wish;
}

// Whether an error says why nothing can be asked for, rather than that the store or the keys failed.
bool is_refusal(Code code) {
  return code == Code::arguments_bad || code == Code::not_found || code == Code::data_invalid ||
         code == Code::action_prohibited;
}

// Intent first: the row, and the step that names it, in one transaction.
Result<Id> ensure_intent(const Ports& ports, const JobView& view, const Step& step, Wish& wish) {
  Id id = 0;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(Job job, store.job(view.job.id));
    CARDEA_ASSIGN(wish, wish_for(store, view, step));
    if (flag_of(step.parameters, "attested") && wish.attestation.empty())
      return error(Code::data_invalid,
                   "the credential profile demands that the token attests the key, and the certificate request is for "
                   "a key that it has not attested");
    Step& mine = job.steps.at(step.index);
    if (mine.parameters.contains("certificate")) {
      id = number_of(mine.parameters, "certificate");
      return {};
    }
    CARDEA_ASSIGN(const JobView fresh, view_job(store, view.job.id));
    if (std::string why = decided_meanwhile(fresh); !why.empty()) return error(Code::action_prohibited, std::move(why));
    Certificate intent;
    intent.ca = wish.policy.ca;
    intent.policy = wish.policy.name;
    intent.subject = *wish.request.subject;
    intent.person = view.person.id;
    intent.token = view.token->id;
    intent.container = text_of(step.parameters, "container");
    intent.archived_key = wish.archived_key;
    intent.attestation = wish.attestation;
    CARDEA_ASSIGN(intent.public_key_hash, crypto::digest(Hash::sha256, wish.spki));
    CARDEA_ASSIGN(id, record_intent(store, job_actor(job), intent, ports.clock.now()));
    mine.parameters["certificate"] = id;
    return store.update(job);
  }));
  return id;
}

Result<Outcome> issue_certificate(const Ports& ports, const JobView& view, const Step& step) {
  Wish wish;
  auto id = ensure_intent(ports, view, step, wish);
  if (!id && is_refusal(id.code())) return failed(id.error().detail.empty() ? describe(id.error()) : id.error().detail);
  if (!id) return std::move(id).error();
  wish.request.id = issuance_id(*id);
  Outcome outcome;
  CARDEA_ASSIGN(const Settlement settlement,
                settle(ports, job_actor(view.job), *id, wish.request,
                       [&](Transaction& store, Certificate& row, const Settlement& settled) -> Status {
                         if (settled.state != Settlement::State::issued) return {};
                         CARDEA_ASSIGN(Job job, store.job(view.job.id));
                         Step& mine = job.steps.at(step.index);
                         if (!mine.result.contains("serial")) {
                           json::array chain;
                           for (const auto& one : settled.chain) chain.push_back(base64(one));
                           mine.result = {{"serial", row.serial}, {"chain", chain}};
                           CARDEA_TRY(store.update(job));
                         }
                         outcome.result = mine.result;
                         if (!row.archived_key) return {};
                         CARDEA_ASSIGN(ArchivedKey key, store.archived_key(*row.archived_key));
                         key.certificate = row.id;
                         return store.update(key);
                       }));
  if (settlement.state == Settlement::State::refused) return failed(settlement.text);
  if (settlement.state == Settlement::State::pending)
    return wait_for(ports, view, wish.policy.ca, settlement.text, settlement.retry_after);
  return outcome;
}

}  // namespace

bool asks_authority(std::string_view kind) {
  return kind == "issue_certificate" || kind == "generate_archived_key" || kind == "revoke_certificates" ||
         kind == "suspend_certificates" || kind == "unsuspend_certificates" || kind == "supersede_certificates";
}

Result<Outcome> run_in_store(Transaction& store, const Ports& ports, JobView& view, Step& step) {
  if (step.kind == "claim_token") return claim_token(store, ports, view, step);
  if (step.kind == "verify_attestation") return verify_attestation(store, ports, view, step);
  if (step.kind == "confirm_attestation") return confirm_attestation(store, ports, view, step);
  if (step.kind == "activate") return activate(store, ports, view);
  if (step.kind == "close_token") return close_token(store, ports, view, step);
  return error(Code::internal, fmt::format("the manager has no step '{}'", step.kind));
}

Result<Outcome> run_with_authority(const Ports& ports, const JobView& view, const Step& step) {
  if (step.kind == "issue_certificate") return issue_certificate(ports, view, step);
  if (step.kind == "generate_archived_key") return generate_archived_key(ports, view, step);
  if (step.kind == "supersede_certificates") return supersede(ports, view, step);
  if (step.kind == "suspend_certificates")
    return change_certificates(ports, view, step, RevocationOrder::Action::suspend, RevocationReason::certificate_hold);
  if (step.kind == "unsuspend_certificates")
    return change_certificates(ports, view, step, RevocationOrder::Action::unsuspend, RevocationReason::unspecified);
  return change_certificates(ports, view, step, RevocationOrder::Action::revoke,
                             reason_for(text_of(step.parameters, "reason")));
}

namespace {

// Whether the authority issued it is not known: only asking tells, and asking twice gives the same certificate.
Result<Outcome> settle_for_undoing(const Ports& ports, const JobView& view, const Step& step,
                                   const Certificate& certificate) {
  Wish wish;
  const Status known = ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(wish, wish_for(store, view, step));
    return {};
  });
  if (!known && is_refusal(known.code()))
    return failed(fmt::format("whether certificate {} was issued cannot be asked any more: {}", certificate.id,
                              cause(known.error())));
  CARDEA_TRY(known);
  wish.request.id = issuance_id(certificate.id);
  CARDEA_ASSIGN(const Settlement settled,
                settle(ports, job_actor(view.job), certificate.id, wish.request,
                       [](Transaction&, Certificate&, const Settlement&) { return Status(); }));
  if (settled.state == Settlement::State::pending)
    return wait_for(ports, view, certificate.ca, settled.text, settled.retry_after);
  return Outcome{};
}

Result<Certificate> read_certificate(const Ports& ports, Id id) {
  Certificate certificate;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(certificate, store.certificate(id));
    return {};
  }));
  return certificate;
}

// Revokes what a step had issued, unless it is at work by now.
Result<Outcome> take_back_certificate(const Ports& ports, const JobView& view, const Step& step) {
  const Id id = number_of(step.parameters, "certificate");
  CARDEA_ASSIGN(Certificate certificate, read_certificate(ports, id));
  if (certificate.state == CertificateState::requested || certificate.state == CertificateState::pending) {
    CARDEA_ASSIGN(Outcome settled, settle_for_undoing(ports, view, step, certificate));
    if (settled.state != Outcome::State::done) return settled;
    CARDEA_ASSIGN(certificate, read_certificate(ports, id));
  }
  if (certificate.state != CertificateState::issued) return Outcome{};
  auto problem = apply_at_authority(ports, job_actor(view.job), id, RevocationOrder::Action::revoke,
                                    RevocationReason::cessation_of_operation, std::nullopt);
  if (!problem)
    return wait_for(ports, view, certificate.ca, "The authority does not answer: " + cause(problem.error()),
                    std::nullopt);
  if (!problem->empty()) return failed(*problem);
  return Outcome{};
}

}  // namespace

// What keeps one certificate from being taken back keeps nobody from the others. One that waits is tried again with
// all.
Result<Outcome> take_back(const Ports& ports, const JobView& view) {
  std::optional<Outcome> waiting;
  std::string problems;
  for (const auto& step : view.job.steps) {
    if (step.kind != "issue_certificate" || !step.parameters.contains("certificate")) continue;
    CARDEA_ASSIGN(Outcome outcome, take_back_certificate(ports, view, step));
    if (outcome.state == Outcome::State::failed) problems += (problems.empty() ? "" : "; ") + outcome.problem;
    if (outcome.state == Outcome::State::waiting) waiting = std::move(outcome);
  }
  if (waiting) return std::move(*waiting);
  if (!problems.empty()) return failed(std::move(problems));
  return Outcome{};
}

}  // namespace cardea::manager::journal
