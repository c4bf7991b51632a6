// Where keys were made (B4): the token's statement is compared with the key; who signed it is for the verifier of the
// kind (ports.h).
#include <fmt/format.h>

#include "crypto/digest.h"
#include "domain/audit_log.h"
#include "domain/journal_parts.h"

namespace cardea::manager::journal {

namespace {

json::object object_of(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_object() ? found->get_object() : json::object();
}

std::string words_of(const Error& problem) {
  return problem.detail.empty() ? describe(problem) : problem.detail;
}

// Demanded: the job is taken back. Else it is noted.
Outcome without(const Step& step, std::string why) {
  if (flag_of(step.parameters, "required"))
    return failed(fmt::format("the credential profile demands that the token attests its keys: {}", why));
  return {.result = {{"attested", false}, {"why", std::move(why)}}};
}

// What the profile asks of a key, and the token could have made otherwise.
std::string difference(const Step& step, const json::object& shown) {
  for (const char* policy : {"pin_policy", "touch_policy"}) {
    const std::string wanted = text_of(step.parameters, policy);
    const std::string stated = text_of(shown, policy);
    if (!wanted.empty() && !stated.empty() && wanted != stated)
      return fmt::format("its key has the {} '{}' and not '{}'", policy, stated, wanted);
  }
  return "";
}

// Keys of one token come from one piece of hardware.
std::string other_device(const Token& token, const json::object& shown) {
  for (const auto& earlier : token.attestation) {
    if (!earlier.value().is_object()) continue;
    const std::string known = text_of(earlier.value().get_object(), "device");
    if (known != text_of(shown, "device"))
      return fmt::format("it was known as {} and its key is in {}", known, text_of(shown, "device"));
  }
  return "";
}

struct Statement {
  const Step* asked = nullptr;
  Bytes spki;
  Bytes nonce;
};

// In a renewal the key is one that was made earlier; that the certificate request is for the same is checked before the
// authority is asked (attestation_of).
std::optional<Statement> statement_before(const JobView& view, const Step& step) {
  const std::string container = text_of(step.parameters, "container");
  Statement found;
  found.asked = step_before(view.job, step.index, "attest_key", container);
  if (found.asked == nullptr) return std::nullopt;
  const Step* made = step_before(view.job, step.index, "generate_key", container);
  found.spki = bytes_of(made != nullptr ? made->result : found.asked->result, "spki");
  found.nonce = bytes_of(found.asked->parameters, "nonce");
  return found;
}

// Without a key that was made in this job, the one whose certificate is renewed.
Result<bool> is_the_key(Transaction& store, const JobView& view, const Step& step, ByteView spki) {
  const std::string container = text_of(step.parameters, "container");
  if (step_before(view.job, step.index, "generate_key", container) != nullptr) return true;
  CARDEA_ASSIGN(const Bytes hash, crypto::digest(Hash::sha256, spki));
  Filter filter;
  filter.token = view.token->id;
  filter.state = "active";
  filter.limit = 1000;
  CARDEA_ASSIGN(const auto held, store.certificates(filter));
  for (const Certificate& one : held.items)
    if (one.container == container && one.public_key_hash == hash) return true;
  return false;
}

AttestationClaim claim_of(const JobView& view, const Statement& statement) {
  return {view.token->kind, view.token->serial, statement.spki, statement.nonce, statement.asked->result};
}

Result<Outcome> accept_finding(Transaction& store, const Ports& ports, JobView& view, const Step& step,
                               const json::object& shown, const json::string& key) {
  Token& token = *view.token;
  if (std::string why = other_device(token, shown); !why.empty()) return without(step, std::move(why));
  token.attestation[text_of(step.parameters, "container")] = shown;
  token.updated = ports.clock.now();
  CARDEA_TRY(store.update(token));
  CARDEA_TRY(audit(store, job_actor(view.job), token.updated, AuditAction::attestation_verified,
                   fmt::format("token:{}", token.id), shown));
  return Outcome{.result = {{"attested", true}, {"shown", shown}, {"public_key_sha256", key}}};
}

}  // namespace

std::string attestation_obstacle(const Ports& ports, const ProfileRules& rules, std::string_view kind,
                                 const json::object* facts) {
  if (rules.attestation != AttestationPolicy::required) return "";
  constexpr std::string_view demand = "the credential profile demands that the token attests its keys";
  if (ports.attestation == nullptr || !ports.attestation->trusts(kind))
    return fmt::format(
        "{}, and this manager trusts no maker of tokens of the kind {}: see [attestation] in its settings", demand,
        kind);
  if (facts == nullptr || flag_of(*facts, "attests")) return "";
  return fmt::format("{}, and this one does not say where its keys were made", demand);
}

Result<Outcome> verify_attestation(Transaction& store, const Ports& ports, JobView& view, const Step& step) {
  const auto statement = statement_before(view, step);
  if (!statement) return Code::internal;
  if (text_of(statement->asked->result, "format").empty())
    return without(step, "the token does not say where its key was made");
  if (ports.attestation == nullptr || !ports.attestation->trusts(view.token->kind))
    return without(step, "this manager trusts no maker of such tokens");
  if (statement->nonce.empty()) return without(step, "there was no nonce for the token's statement");
  CARDEA_ASSIGN(const bool right_key, is_the_key(store, view, step, statement->spki));
  if (!right_key) return without(step, "its statement is about another key than the certificate that is renewed");
  auto finding = ports.attestation->verify(claim_of(view, *statement));
  if (!finding) return without(step, words_of(finding.error()));
  if (std::string why = difference(step, finding->shown); !why.empty()) return without(step, std::move(why));
  CARDEA_ASSIGN(const Bytes key, crypto::digest(Hash::sha256, statement->spki));
  const json::string hash(to_hex(key));
  if (finding->challenge.empty()) return accept_finding(store, ports, view, step, finding->shown, hash);
  return Outcome{.result = {{"attested", false},
                            {"challenge", finding->challenge},
                            {"shown", finding->shown},
                            {"public_key_sha256", hash}}};
}

json::object give_attestation_challenge(const JobView& view, const Step& step) {
  json::object out = step.parameters;
  const Step* checked = step_before(view.job, step.index, "verify_attestation", text_of(step.parameters, "container"));
  if (checked != nullptr) out["credential"] = text_of(object_of(checked->result, "challenge"), "credential");
  return out;
}

Result<Outcome> confirm_attestation(Transaction& store, const Ports& ports, JobView& view, const Step& step) {
  const std::string container = text_of(step.parameters, "container");
  const auto statement = statement_before(view, step);
  const Step* checked = step_before(view.job, step.index, "verify_attestation", container);
  const Step* answered = step_before(view.job, step.index, "answer_attestation", container);
  if (!statement || checked == nullptr || answered == nullptr) return Code::internal;
  const json::object challenge = object_of(checked->result, "challenge");
  if (challenge.empty()) return without(step, text_of(checked->result, "why"));
  if (ports.attestation == nullptr) return without(step, "this manager trusts no maker of such tokens");
  const Status right =
      ports.attestation->check_answer(claim_of(view, *statement), challenge, bytes_of(answered->result, "answer"));
  if (!right) return without(step, words_of(right.error()));
  return accept_finding(store, ports, view, step, object_of(checked->result, "shown"),
                        json::string(text_of(checked->result, "public_key_sha256")));
}

Result<json::object> attestation_of(const Job& job, std::uint32_t index, std::string_view container, ByteView spki) {
  CARDEA_ASSIGN(const Bytes key, crypto::digest(Hash::sha256, spki));
  for (const char* kind : {"confirm_attestation", "verify_attestation"}) {
    const Step* checked = step_before(job, index, kind, container);
    if (checked != nullptr && flag_of(checked->result, "attested") &&
        text_of(checked->result, "public_key_sha256") == to_hex(key))
      return object_of(checked->result, "shown");
  }
  return json::object();
}

}  // namespace cardea::manager::journal
