#include "http/shapes.h"

#include <boost/json.hpp>

#include "domain/journal.h"
#include "domain/lifecycle.h"
#include "http/context.h"
#include "http/json_reader.h"

namespace cardea::http {
namespace {

namespace json = boost::json;
using namespace manager;

json::value maybe(const std::optional<Id>& id) {
  return id ? json::value(*id) : json::value(nullptr);
}
json::value maybe(const std::optional<Time>& time) {
  return time ? json::value(format_time(*time)) : json::value(nullptr);
}

json::array texts(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& text : list) array.emplace_back(text);
  return array;
}

json::object with_times(json::object object, Time created, Time updated) {
  object["created"] = format_time(created);
  object["updated"] = format_time(updated);
  return object;
}

std::string_view word(StepState state) {
  switch (state) {
    case StepState::planned:
      return "planned";
    case StepState::running:
      return "running";
    case StepState::done:
      return "done";
    case StepState::failed:
      return "failed";
    case StepState::undone:
      return "undone";
  }
  return "";
}

json::object shape_of_step(const Step& step) {
  return {{"index", step.index},
          {"kind", step.kind},
          {"state", word(step.state)},
          {"problem", step.problem},
          {"attempts", step.attempts},
          {"started", maybe(step.started)},
          {"finished", maybe(step.finished)}};
}

}  // namespace

json::object shape(const Person& person) {
  json::object attributes;
  for (const auto& [key, value] : person.attributes) attributes[key] = value;
  return with_times({{"id", person.id},
                     {"name", person.name},
                     {"display_name", person.display_name},
                     {"email", person.email},
                     {"department", person.department},
                     {"attributes", std::move(attributes)},
                     {"enabled", person.enabled}},
                    person.created, person.updated);
}

json::object shape(const Token& token) {
  return with_times({{"id", token.id},
                     {"kind", token.kind},
                     {"serial", token.serial},
                     {"label", token.label},
                     {"model", token.model},
                     {"location", token.location},
                     {"state", name(token.state)},
                     {"person", maybe(token.person)},
                     {"profile", maybe(token.profile)},
                     {"card_type", token.card_type},
                     {"secret_version", token.secret_version},
                     {"puk_version", token.puk_version},
                     {"registered_stock", token.registered_stock},
                     {"facts", token.facts},
                     {"attestation", token.attestation},
                     {"pin", token.pin}},
                    token.created, token.updated);
}

json::object shape(const Profile& profile) {
  return with_times({{"id", profile.id},
                     {"name", profile.name},
                     {"version", profile.version},
                     {"enabled", profile.enabled},
                     {"document", profile.document}},
                    profile.created, profile.updated);
}

json::object shape(const Request& request) {
  json::array approvals;
  for (const Approval& approval : request.approvals)
    approvals.push_back(json::object{
        {"operator", approval.operator_id}, {"at", format_time(approval.at)}, {"comment", approval.comment}});
  return with_times({{"id", request.id},
                     {"kind", request.kind},
                     {"state", name(request.state)},
                     {"person", request.person},
                     {"profile", maybe(request.profile)},
                     {"token", maybe(request.token)},
                     {"requested_by", maybe(request.requested_by)},
                     {"approvals", std::move(approvals)},
                     {"approvals_needed", request.approvals_needed},
                     {"reason", request.reason},
                     {"parameters", request.parameters},
                     {"code_expires", maybe(request.code_expires)},
                     {"code_attempts", request.code_attempts},
                     {"job", maybe(request.job)}},
                    request.created, request.updated);
}

json::object shape(const Job& job) {
  json::array steps;
  for (const Step& step : job.steps) steps.push_back(shape_of_step(step));
  return with_times({{"id", job.id},
                     {"request", job.request},
                     {"kind", job.kind},
                     {"state", name(job.state)},
                     {"text", job_sentence(job)},
                     {"token", maybe(job.token)},
                     {"waits_for", job.waits_for},
                     {"next_attempt", maybe(job.next_attempt)},
                     {"steps", std::move(steps)}},
                    job.created, job.updated);
}

json::object shape(const Certificate& certificate) {
  return with_times({{"id", certificate.id},
                     {"state", name(certificate.state)},
                     {"ca", certificate.ca == 0 ? json::value() : json::value(certificate.ca)},
                     {"policy", certificate.policy},
                     {"serial", certificate.serial},
                     {"subject", certificate.subject},
                     {"issuer", certificate.issuer},
                     {"person", maybe(certificate.person)},
                     {"token", maybe(certificate.token)},
                     {"container", certificate.container},
                     {"archived_key", maybe(certificate.archived_key)},
                     {"certificate", to_base64(text_of(certificate.der))},
                     {"public_key_sha256", to_hex(certificate.public_key_hash)},
                     {"attestation", certificate.attestation},
                     {"not_before", maybe(certificate.not_before)},
                     {"not_after", maybe(certificate.not_after)},
                     {"revoked_at", maybe(certificate.revoked_at)},
                     {"invalid_since", maybe(certificate.invalid_since)},
                     {"revocation_reason", certificate.revocation_reason}},
                    certificate.created, certificate.updated);
}

json::object shape(const ArchivedKey& key) {
  return {{"id", key.id},
          {"person", key.person},
          {"policy", key.policy},
          {"certificate", maybe(key.certificate)},
          {"public_key_sha256", to_hex(key.public_key_hash)},
          {"archive_key", key.archive_key},
          {"created", format_time(key.created)}};
}

json::object shape(const CaRecord& ca) {
  return with_times({{"id", ca.id},
                     {"name", ca.name},
                     {"connector", ca.connector},
                     {"enabled", ca.enabled},
                     {"retry_schedule", ca.retry_schedule},
                     {"settings", ca.settings}},
                    ca.created, ca.updated);
}

json::object shape(const CertificatePolicy& policy) {
  return with_times({{"id", policy.id},
                     {"ca", policy.ca},
                     {"name", policy.name},
                     {"ca_profile", policy.ca_profile},
                     {"enabled", policy.enabled},
                     {"document", policy.document}},
                    policy.created, policy.updated);
}

json::object shape(const Operator& who) {
  return with_times({{"id", who.id},
                     {"name", who.name},
                     {"person", maybe(who.person)},
                     {"roles", texts(who.roles)},
                     {"scope", who.scope},
                     {"department", who.department},
                     {"certificates", texts(who.certificates)},
                     {"enabled", who.enabled}},
                    who.created, who.updated);
}

json::object shape(const AccessToken& token) {
  return {{"id", token.id},
          {"operator", token.operator_id},
          {"name", token.name},
          {"rights", texts(token.rights)},
          {"expires", format_time(token.expires)},
          {"created", format_time(token.created)}};
}

json::object shape(const CustomRole& role) {
  return {{"name", role.name}, {"scope", role.scope}, {"rights", texts(role.rights)}};
}

json::object shape(const AuditEvent& event) {
  return {{"number", event.number},
          {"at", format_time(event.at)},
          {"actor", event.actor},
          {"action", event.action},
          {"subject", event.subject},
          {"detail", event.detail},
          {"previous", to_hex(event.previous)},
          {"hash", to_hex(event.hash)}};
}

json::object shape(const RevocationLine& line) {
  return {{"certificate", line.certificate}, {"done", line.done}, {"problem", line.problem}};
}

}  // namespace cardea::http
