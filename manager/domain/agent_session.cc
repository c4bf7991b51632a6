// Agents: sessions opened with one-time codes, and administrators' challenges.
#include <fmt/format.h>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "domain/agent_opening.h"
#include "domain/audit_log.h"
#include "domain/job_kinds.h"
#include "domain/journal.h"
#include "domain/journal_parts.h"
#include "domain/one_time_code.h"
#include "domain/outside_text.h"
#include "domain/time_seen.h"

namespace cardea::manager {

namespace {

using namespace journal;

constexpr auto session_lease = std::chrono::minutes(15);

Error refused(Code code, std::string text, std::optional<int> left = std::nullopt) {
  Error failure = error(code, std::move(text));
  failure.retries_left = left;
  return failure;
}

// Wrong codes are counted; at the limit the code is worth nothing any more.
Status count_wrong(Transaction& store, Request& request, const CodeRules& rules, const Actor& actor, Time now,
                   Opening& out) {
  ++request.code_attempts;
  const int left = static_cast<int>(rules.attempts) - static_cast<int>(request.code_attempts);
  request.updated = now;
  CARDEA_TRY(store.update(request));
  out.refusal =
      left > 0 ? refused(Code::pin_incorrect, fmt::format("the one-time code is wrong; {} tries are left", left), left)
               : refused(Code::pin_locked, "the one-time code is wrong and locked now: ask for a new one", 0);
  return audit(store, actor, now, left > 0 ? AuditAction::code_refused : AuditAction::code_locked,
               fmt::format("request:{}", request.id));
}

// Empty: the code may be used.
std::optional<Error> code_state(const Request& request, const CodeRules& rules, Time now) {
  if (request.state == RequestState::completed || request.state == RequestState::failed)
    return refused(Code::session_exists, "this one-time code was used; its job has ended");
  if (request.state != RequestState::approved && request.state != RequestState::collecting)
    return refused(Code::pin_incorrect, "the one-time code is wrong");
  if (request.code_check.empty()) return refused(Code::pin_incorrect, "the one-time code is wrong");
  if (request.code_attempts >= rules.attempts)
    return refused(Code::pin_locked, "the one-time code is locked after too many wrong ones: ask for a new one");
  if (!request.code_expires || *request.code_expires <= now)
    return refused(Code::pin_expired, "the one-time code has expired: ask for a new one");
  return std::nullopt;
}

}  // namespace

Actor agent_actor(std::string_view host) {
  return manager_actor("agent:" + kept_text(host, 100));
}

Result<SecretBytes> fresh_session_secret() {
  Bytes random(32);
  CARDEA_TRY(crypto::random_bytes(random));
  std::string hex = to_hex(random);
  SecretBytes secret(view_of(hex));
  wipe(random);
  wipe({reinterpret_cast<Byte*>(hex.data()), hex.size()});
  return secret;
}

Status take_job(Transaction& store, const Ports& ports, Request& request, std::string_view resume,
                const SecretBytes& fresh, Opening& out) {
  Job job;
  CARDEA_ASSIGN(const Person person, store.person(request.person));
  if (!person.enabled && issues_certificates(request.kind)) {
    out.refusal = refused(Code::permission_denied, fmt::format("{} is disabled and gets no credentials", person.name));
    return {};
  }
  if (request.state == RequestState::approved) {
    CARDEA_ASSIGN(job, start_job(store, ports, request));
  } else {
    if (!request.job)
      return error(Code::store_corrupt, fmt::format("request {} is collected without a job", request.id));
    CARDEA_ASSIGN(job, store.job(*request.job));
    if (job.state != JobState::ready && job.state != JobState::waiting) {
      out.refusal = refused(Code::session_exists, "this was collected before; the job is being taken back");
      return {};
    }
    CARDEA_ASSIGN(const Bytes check, crypto::digest(Hash::sha256, view_of(resume)));
    const bool same_agent = !resume.empty() && equal_in_constant_time(check, job.agent_check);
    const bool left_alone = job.agent_check.empty() || job.updated + session_lease <= ports.clock.now();
    if (!same_agent && !left_alone) {
      out.refusal = refused(Code::session_exists,
                            "another agent works on this job; it can be taken over 15 minutes after that one stopped");
      return {};
    }
  }
  CARDEA_ASSIGN(job.agent_check, crypto::digest(Hash::sha256, fresh.view()));
  job.updated = ports.clock.now();
  CARDEA_TRY(store.update(job));
  out.session.job = job.id;
  return {};
}

Status describe_session(Transaction& store, AgentSession& session) {
  CARDEA_ASSIGN(const JobView view, view_job(store, session.job));
  session.kind = view.job.kind;
  const JobKind* kind = job_kind(view.job.kind);
  const std::string profile = view.profile ? view.profile->name : "";
  const std::string who = view.person.display_name.empty() ? view.person.name : view.person.display_name;
  session.text = kind == nullptr ? view.job.kind : fmt::format(fmt::runtime(std::string(kind->words)), profile, who);
  session.device_kinds = view.rules.device_kinds;
  if (view.token && view.job.kind != "replace") session.device_kinds = {view.token->kind};
  session.pin_policy = view.rules.pin_policy;
  for (const Step& step : view.job.steps) {
    const bool tells = step.kind == "inspect_token" || step.kind == "create_token" || step.kind == "initialise_token";
    if (!tells || step.state != StepState::done) continue;
    session.token_kind = text_of(step.result, "kind");
    session.token_serial = text_of(step.result, "serial");
  }
  return {};
}

namespace {

Result<CodeRules> code_rules(Transaction& store, const Request& request) {
  if (!request.profile) return CodeRules();
  CARDEA_ASSIGN(const Profile profile, store.profile(*request.profile));
  CARDEA_ASSIGN(const ProfileRules rules, read_profile(profile.document));
  return rules.code;
}

Status open(Transaction& store, const Ports& ports, const TypedCode& typed, const Bytes& check, std::string_view resume,
            const Actor& actor, const SecretBytes& fresh, Opening& out) {
  const Time now = ports.clock.now();
  auto found = store.request(typed.request);
  if (!found && found.code() != Code::not_found) return std::move(found).error();
  if (!found) {
    out.refusal = refused(Code::pin_incorrect, "the one-time code is wrong");
    return audit(store, actor, now, AuditAction::code_refused, "request:unknown");
  }
  Request request = std::move(*found);
  CARDEA_ASSIGN(const CodeRules rules, code_rules(store, request));
  CARDEA_ASSIGN(const Time latest, latest_time(store, ports.clock));
  if (out.refusal = code_state(request, rules, latest); out.refusal) {
    // What was refused as too old is not taken later by a clock that was set back.
    return out.refusal->code == Code::pin_expired ? remember_time(store, now) : Status();
  }
  if (!equal_in_constant_time(check, request.code_check)) return count_wrong(store, request, rules, actor, now, out);
  CARDEA_TRY(take_job(store, ports, request, resume, fresh, out));
  if (out.refusal) return {};
  CARDEA_TRY(describe_session(store, out.session));
  return audit(store, actor, now, AuditAction::code_used, fmt::format("request:{}", request.id),
               {{"job", out.session.job}});
}

}  // namespace

Result<AgentSession> open_agent_session(const Ports& ports, std::string_view code, std::string_view resume,
                                        std::string_view host) {
  CARDEA_ASSIGN(const TypedCode typed, typed_code(code));
  CARDEA_ASSIGN(const Bytes check, code_check(ports.keys, typed.request, typed.code));
  CARDEA_ASSIGN(const SecretBytes fresh, fresh_session_secret());
  const Actor actor = agent_actor(host);
  Opening opening;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) {
    opening = Opening();
    return open(store, ports, typed, check, resume, actor, fresh, opening);
  }));
  if (opening.refusal) return std::move(*opening.refusal);
  opening.session.secret = fresh.copy();
  return std::move(opening.session);
}

namespace {

// While a job waits for its agent, only what that asks and reports changes it. What waits for an authority or a time
// (next_attempt) changes without the agent.
bool left_by_agent(const Job& job, Time since) {
  const bool open = job.state == JobState::ready || job.state == JobState::waiting;
  return open && !job.next_attempt && job.updated <= since;
}

}  // namespace

Result<Id> job_of_session(const Ports& ports, Id job, std::string_view secret, std::chrono::seconds lasts) {
  CARDEA_ASSIGN(const Bytes check, crypto::digest(Hash::sha256, view_of(secret)));
  bool right = false;
  bool left = false;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    auto row = store.job(job);
    if (!row && row.code() != Code::not_found) return std::move(row).error();
    // A job that has ended still answers its last agent that it has.
    right = row && !row->agent_check.empty() && equal_in_constant_time(check, row->agent_check);
    left = right && left_by_agent(*row, ports.clock.now() - lasts);
    return {};
  }));
  if (left)
    return error(Code::permission_denied,
                 "nothing was heard of the agent for too long, so its session has ended: collect again with the "
                 "one-time code, or with a new one where that has expired");
  if (!right) return error(Code::permission_denied, "this session does not belong to that job, or has been taken over");
  return job;
}

namespace {

// The key that the token's administrator has at present.
Result<SecretBytes> present_admin_key(const Ports& ports, const JobView& view, const AdminQuestion& question) {
  const Token& token = *view.token;
  if (question.factory && token.secret_version > 0)
    return error(Code::action_prohibited,
                 "the token's administrator has a key of ours: the factory's is never used again");
  if (token.secret_version > 0)
    return derived_admin_key(ports.keys, {token.kind, token.serial}, token.secret_version, question.algorithm);
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(token.kind));
  if (!secrets.made) return factory_secret(token.kind, token.card_type, SecretPurpose::admin_key);
  const std::string owner = fmt::format("job:{}", view.job.id);
  return derived_admin_key(ports.keys, {token.kind, owner}, 1, question.algorithm);
}

}  // namespace

Result<Bytes> answer_challenge(const Ports& ports, Id job, const AdminQuestion& question) {
  if (question.purpose != word(SecretPurpose::admin_key))
    return error(Code::arguments_bad, fmt::format("/purpose: there are no challenges for '{}'", question.purpose));
  Bytes answer;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const JobView view, view_job(store, job));
    const bool open = view.job.state == JobState::ready || view.job.state == JobState::waiting;
    const StepKind* kind =
        question.step < view.job.steps.size() ? step_kind(view.job.steps[question.step].kind) : nullptr;
    const bool running =
        open && kind != nullptr && kind->agent && view.job.steps[question.step].state == StepState::running;
    if (!running || !view.token || !view.job.token)
      return error(Code::action_prohibited,
                   "a challenge is answered only while a step of the agent runs on a token that is known");
    CARDEA_ASSIGN(const SecretBytes key, present_admin_key(ports, view, question));
    CARDEA_ASSIGN(answer, challenge_answer(view.token->kind, question.algorithm, key, question.challenge));
    return audit(store, job_actor(view.job), ports.clock.now(), AuditAction::challenge_answered,
                 fmt::format("token:{}", view.token->id),
                 {{"step", view.job.steps[question.step].kind}, {"job", job}, {"factory", question.factory}});
  }));
  return answer;
}

}  // namespace cardea::manager
