#include "domain/authority_work.h"

#include <fmt/format.h>

#include "crypto/digest.h"
#include "domain/audit_log.h"
#include "domain/cause.h"

namespace cardea::manager {

namespace {

std::string subject(Id certificate) {
  return fmt::format("certificate:{}", certificate);
}

Result<CertificateAndCa> read_certificate_and_ca(const Ports& ports, Id id) {
  CertificateAndCa asked;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(asked.certificate, store.certificate(id));
    if (asked.certificate.ca == 0) return {};
    CARDEA_ASSIGN(asked.ca, store.ca(asked.certificate.ca));
    return {};
  }));
  return asked;
}

// The answer is compared with what was asked before anything else happens with it.
Status compare(const Certificate& wanted, const CertificateFacts& facts, Time now) {
  CARDEA_ASSIGN(const Bytes hash, crypto::digest(Hash::sha256, facts.spki));
  if (hash != wanted.public_key_hash)
    return error(Code::data_invalid, "the authority certified another key than was asked for");
  if (facts.not_after <= now) return error(Code::data_invalid, "the authority's certificate has expired already");
  return {};
}

// Fills the row from the certificate that the authority gave; refused when it is not what was asked for.
Status take_certificate(Transaction& store, const Actor& actor, Certificate& row, const Issued& issued,
                        Settlement& settlement, Time now) {
  auto facts = certificate_facts(issued.certificate);
  Status fits = facts ? compare(row, *facts, now) : Status(facts.error());
  row.der = issued.certificate;
  row.reference = issued.reference;
  if (facts) {
    row.serial = facts->serial;
    row.subject = facts->subject;
    row.issuer = facts->issuer;
    row.not_before = facts->not_before;
    row.not_after = facts->not_after;
  }
  // Issued also when it is wrong: it exists, so whoever takes the job back has to revoke it.
  CARDEA_ASSIGN(row.state, after(row.state, "issue"));
  settlement.chain = issued.chain;
  settlement.state = fits ? Settlement::State::issued : Settlement::State::refused;
  if (!fits) settlement.text = fits.error().detail;
  return audit(store, actor, now, AuditAction::certificate_issued, subject(row.id),
               {{"serial", row.serial}, {"ca", row.ca}});
}

Status take_answer(Transaction& store, const Actor& actor, Certificate& row, const EnrolmentAnswer& answer,
                   Settlement& settlement, Time now) {
  row.updated = now;
  if (const auto* issued = std::get_if<Issued>(&answer)) {
    CARDEA_TRY(take_certificate(store, actor, row, *issued, settlement, now));
  } else if (const auto* pending = std::get_if<Pending>(&answer)) {
    if (row.state == CertificateState::requested) {
      CARDEA_ASSIGN(row.state, after(row.state, "wait"));
    }
    row.reference = pending->reference;
    settlement.text = "the authority has not decided yet";
    settlement.retry_after = pending->retry_after;
  } else {
    CARDEA_ASSIGN(row.state, after(row.state, "reject"));
    row.wish.clear();
    settlement.state = Settlement::State::refused;
    settlement.text = "the authority refused: " + std::get<Rejected>(answer).reason;
    CARDEA_TRY(audit(store, actor, now, AuditAction::certificate_rejected, subject(row.id),
                     {{"reason", std::get<Rejected>(answer).reason}}));
  }
  return {};
}

Result<EnrolmentAnswer> ask(const Ports& ports, const CertificateAndCa& asked, const IssuanceRequest& wanted) {
  if (!asked.ca.enabled)
    return error(Code::action_prohibited,
                 fmt::format("the certification authority '{}' is switched off", asked.ca.name));
  CARDEA_ASSIGN(const auto connector, ports.authorities.connector(asked.ca));
  if (asked.certificate.state == CertificateState::pending && !asked.certificate.reference.empty())
    return connector->poll(wanted, asked.certificate.reference);
  return connector->enrol(wanted, IssuanceTicket::for_recorded_intent(wanted.id));
}

bool is_open(CertificateState state) {
  return state == CertificateState::requested || state == CertificateState::pending;
}

}  // namespace

std::string issuance_id(Id certificate) {
  return fmt::format("certificate-{}", certificate);
}

Result<Id> record_intent(Transaction& store, const Actor& actor, Certificate intent, Time now) {
  intent.state = CertificateState::requested;
  intent.created = intent.updated = now;
  CARDEA_ASSIGN(const Id id, store.insert(intent));
  CARDEA_TRY(audit(store, actor, now, AuditAction::certificate_requested, subject(id),
                   {{"policy", intent.policy}, {"ca", intent.ca}, {"subject", intent.subject}}));
  return id;
}

Result<Settlement> settle(const Ports& ports, const Actor& actor, Id certificate, const IssuanceRequest& wanted,
                          const AlsoAtSettlement& also) {
  CARDEA_ASSIGN(const CertificateAndCa asked, read_certificate_and_ca(ports, certificate));
  return settle(ports, actor, asked, wanted, also);
}

Result<Settlement> settle(const Ports& ports, const Actor& actor, const CertificateAndCa& asked,
                          const IssuanceRequest& wanted, const AlsoAtSettlement& also) {
  Settlement settlement;
  if (!is_open(asked.certificate.state)) {
    // An earlier run stored the answer and was cut off before it went on.
    const bool there =
        asked.certificate.state == CertificateState::issued || asked.certificate.state == CertificateState::active;
    settlement.state = there ? Settlement::State::issued : Settlement::State::refused;
    if (!there) settlement.text = fmt::format("the certificate is {}", name(asked.certificate.state));
    CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
      Certificate row = asked.certificate;
      CARDEA_TRY(also(store, row, settlement));
      return row.state == asked.certificate.state ? Status() : store.update(row);
    }));
    return settlement;
  }
  auto answer = ask(ports, asked, wanted);
  if (!answer) {
    settlement.text = "the authority does not answer: " + cause(answer.error());
    settlement.answered = false;
    return settlement;
  }
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    settlement = Settlement();
    CARDEA_ASSIGN(Certificate row, store.certificate(asked.certificate.id));
    if (!is_open(row.state)) return error(Code::key_changed, "somebody else has settled this certificate meanwhile");
    CARDEA_TRY(take_answer(store, actor, row, *answer, settlement, ports.clock.now()));
    // One transaction, so nobody sees a state in between; the row is the largest that an issuance writes.
    CARDEA_TRY(also(store, row, settlement));
    return store.update(row);
  }));
  return settlement;
}

Status make_live(Certificate& row, const Settlement& settled, Time now) {
  if (settled.state != Settlement::State::issued || row.state != CertificateState::issued) return {};
  CARDEA_ASSIGN(row.state, after(row.state, "activate"));
  row.wish.clear();
  row.updated = now;
  return {};
}

RevocationReason reason_for(std::string_view word) {
  // A lost token may be in anybody's hands (RFC 5280, 5.3.1 keyCompromise is "known or suspected").
  if (word == "lost") return RevocationReason::key_compromise;
  if (word == "damaged" || word == "forgotten") return RevocationReason::superseded;
  if (word == "left") return RevocationReason::affiliation_changed;
  if (auto reason = revocation_reason(word)) return *reason;
  return RevocationReason::unspecified;
}

namespace {

struct ActionFacts {
  std::string_view event;
  CertificateState result;
  AuditAction audit;
};

ActionFacts facts_of(RevocationOrder::Action action) {
  switch (action) {
    case RevocationOrder::Action::suspend:
      return {"suspend", CertificateState::suspended, AuditAction::certificate_suspended};
    case RevocationOrder::Action::unsuspend:
      return {"unsuspend", CertificateState::active, AuditAction::certificate_unsuspended};
    case RevocationOrder::Action::revoke:
      break;
  }
  return {"revoke", CertificateState::revoked, AuditAction::certificate_revoked};
}

Result<RevocationOutcome> change(Revoker& revoker, const Certificate& row, RevocationOrder::Action action,
                                 RevocationReason reason, std::optional<Time> invalid_since) {
  if (action == RevocationOrder::Action::suspend) return revoker.suspend(row.der);
  if (action == RevocationOrder::Action::unsuspend) return revoker.unsuspend(row.der);
  return revoker.revoke(row.der, reason, invalid_since);
}

Status record_change(Transaction& store, const Actor& actor, Id id, RevocationOrder::Action action,
                     RevocationReason reason, std::optional<Time> invalid_since, Time now) {
  const ActionFacts facts = facts_of(action);
  CARDEA_ASSIGN(Certificate row, store.certificate(id));
  if (row.state == facts.result) return {};
  CARDEA_ASSIGN(row.state, after(row.state, facts.event));
  row.wish.clear();
  row.updated = now;
  if (action == RevocationOrder::Action::unsuspend) {
    row.revoked_at.reset();
    row.revocation_reason.clear();
  } else {
    row.revoked_at = now;
    row.invalid_since = invalid_since;
    row.revocation_reason =
        word(action == RevocationOrder::Action::suspend ? RevocationReason::certificate_hold : reason);
  }
  CARDEA_TRY(store.update(row));
  return audit(store, actor, now, facts.audit, subject(id),
               {{"serial", row.serial}, {"reason", row.revocation_reason}});
}

}  // namespace

Result<std::string> apply_at_authority(const Ports& ports, const Actor& actor, Id certificate,
                                       RevocationOrder::Action action, RevocationReason reason,
                                       std::optional<Time> invalid_since) {
  CARDEA_ASSIGN(const CertificateAndCa asked, read_certificate_and_ca(ports, certificate));
  const ActionFacts facts = facts_of(action);
  if (asked.certificate.ca == 0) return std::string("this certificate was made elsewhere; its issuer revokes it");
  if (asked.certificate.state == facts.result) return std::string();
  if (auto next = after(asked.certificate.state, facts.event); !next) return next.error().detail;
  CARDEA_ASSIGN(const auto connector, ports.authorities.connector(asked.ca));
  Revoker* const revoker = connector->revoker();
  if (revoker == nullptr) return std::string("this authority revokes nothing when asked by us");
  CARDEA_ASSIGN(const RevocationOutcome outcome, change(*revoker, asked.certificate, action, reason, invalid_since));
  if (outcome == RevocationOutcome::cannot_suspend) return std::string("this authority cannot suspend");
  CARDEA_TRY(ports.store.transact([&](Transaction& store) {
    return record_change(store, actor, certificate, action, reason, invalid_since, ports.clock.now());
  }));
  return std::string();
}

}  // namespace cardea::manager
