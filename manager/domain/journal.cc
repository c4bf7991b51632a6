#include "domain/journal.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "domain/archive.h"
#include "domain/audit_log.h"
#include "domain/job_kinds.h"
#include "domain/journal_parts.h"
#include "domain/outside_text.h"

namespace cardea::manager {

namespace {

using namespace journal;

// How long one daemon keeps a job for a step that asks an authority; after that another takes over.
constexpr auto work_lease = std::chrono::seconds(60);
constexpr auto busy_again_after = std::chrono::seconds(1);
constexpr auto agent_again_after = std::chrono::seconds(2);
// A job whose steps lead nowhere must not run for ever.
constexpr int most_rounds = 200;

std::string subject(Id job) {
  return fmt::format("job:{}", job);
}

NextStep ended(NextStep::State state, std::string text) {
  NextStep next;
  next.state = state;
  next.text = std::move(text);
  return next;
}

NextStep wait(std::string text, std::chrono::seconds again) {
  NextStep next;
  next.text = std::move(text);
  next.retry_after = std::max(again, std::chrono::seconds(1));
  return next;
}

// One visit of a job by one thread: what it found and decided in a transaction.
struct Visit {
  const Ports& ports;
  Id job;
  std::string name;  ///< for claims: no other thread or daemon has the same
  bool for_agent;
  std::optional<NextStep> answer = {};
  std::optional<JobView> outside = {};  ///< set: a step, or the undoing, that asks authorities
  std::uint32_t step = 0;
  OpenedKeys opened = {};
  std::vector<ArchivedKey> to_open = {};  ///< what the next step needs of the archive first
};

Result<std::string> visitor_name(const Ports& ports) {
  Bytes random(8);
  CARDEA_TRY(crypto::random_bytes(random));
  return ports.daemon + "/" + to_hex(random);
}

Status save(Transaction& store, const Ports& ports, Job& job) {
  job.updated = ports.clock.now();
  return store.update(job);
}

Status complete(Transaction& store, Visit& visit, JobView& view) {
  CARDEA_TRY(wake(view.job));
  CARDEA_ASSIGN(view.job.state, after(view.job.state, "complete"));
  release(view.job);
  CARDEA_TRY(save(store, visit.ports, view.job));
  CARDEA_ASSIGN(view.request.state, after(view.request.state, "complete"));
  view.request.updated = visit.ports.clock.now();
  view.request.code_check.clear();
  CARDEA_TRY(store.update(view.request));
  visit.answer = ended(NextStep::State::completed, completion_text(view.job));
  return audit(store, job_actor(view.job), view.request.updated, AuditAction::job_completed, subject(visit.job),
               {{"kind", view.job.kind}});
}

Status to_agent(Transaction& store, Visit& visit, JobView& view, Step& step) {
  const Time now = visit.ports.clock.now();
  const StepKind* kind = step_kind(step.kind);
  if (!visit.for_agent) {
    CARDEA_TRY(sleep(view.job, "the agent on the user's machine", std::nullopt));
    visit.answer = wait("Waiting for the agent", agent_again_after);
    return save(store, visit.ports, view.job);
  }
  CARDEA_ASSIGN(visit.to_open, keys_to_open(store, view, step, visit.opened));
  if (!visit.to_open.empty()) return {};
  // It waits for the agent, not for a time: no daemon takes it meanwhile.
  CARDEA_TRY(sleep(view.job, "the agent on the user's machine", std::nullopt));
  step.state = StepState::running;
  step.started = now;
  ++step.attempts;
  NextStep next;
  next.state = NextStep::State::step;
  next.text = kind->words;
  next.index = step.index;
  next.kind = step.kind;
  next.of = view.job.steps.size();
  CARDEA_ASSIGN(next.parameters, hand_out(store, visit.ports, view, step, visit.opened));
  visit.answer = std::move(next);
  return save(store, visit.ports, view.job);
}

// Writes down what became of a step of the manager.
Status record(Transaction& store, Visit& visit, JobView& view, std::uint32_t index, Outcome outcome) {
  const Time now = visit.ports.clock.now();
  Step& step = view.job.steps.at(index);
  release(view.job);
  switch (outcome.state) {
    case Outcome::State::done:
      step.state = StepState::done;
      step.finished = now;
      step.problem.clear();
      if (!outcome.result.empty()) step.result = std::move(outcome.result);
      view.job.ca_attempts = 0;
      CARDEA_TRY(wake(view.job));
      break;
    case Outcome::State::waiting:
      step.state = StepState::planned;
      step.problem = outcome.problem;
      if (asks_authority(step.kind)) ++view.job.ca_attempts;
      // What waits for another token waits for the agent; what waits for an authority, for a time.
      CARDEA_TRY(sleep(view.job, outcome.problem,
                       asks_authority(step.kind) ? std::optional(now + *outcome.retry_after) : std::nullopt));
      visit.answer = wait(outcome.problem, *outcome.retry_after);
      break;
    case Outcome::State::failed:
      step.state = StepState::failed;
      step.problem = outcome.problem;
      CARDEA_TRY(begin_undo(view.job, now, outcome.problem));
      break;
  }
  return save(store, visit.ports, view.job);
}

Status by_manager(Transaction& store, Visit& visit, JobView& view, Step& step) {
  const Time now = visit.ports.clock.now();
  CARDEA_TRY(wake(view.job));
  step.state = StepState::running;
  step.started = now;
  ++step.attempts;
  const std::uint32_t index = step.index;
  if (asks_authority(step.kind)) {
    view.job.claimed_by = visit.name;
    view.job.claimed_until = now + work_lease;
    CARDEA_TRY(save(store, visit.ports, view.job));
    visit.step = index;
    visit.outside = view;
    return {};
  }
  // Planning appends steps, so nothing holds on to one of them.
  Step copy = step;
  CARDEA_ASSIGN(Outcome outcome, run_in_store(store, visit.ports, view, copy));
  return record(store, visit, view, index, std::move(outcome));
}

bool claimed_elsewhere(const Job& job, const std::string& name, Time now) {
  return job.claimed_until && *job.claimed_until > now && job.claimed_by != name;
}

Status decide(Transaction& store, Visit& visit) {
  visit.answer.reset();
  visit.outside.reset();
  visit.to_open.clear();
  CARDEA_ASSIGN(JobView view, view_job(store, visit.job));
  Job& job = view.job;
  const Time now = visit.ports.clock.now();
  if (job.state == JobState::completed) visit.answer = ended(NextStep::State::completed, completion_text(job));
  if (job.state == JobState::failed) visit.answer = ended(NextStep::State::failed, job.waits_for);
  if (visit.answer) return {};
  if (claimed_elsewhere(job, visit.name, now)) {
    visit.answer = wait("Being worked on", busy_again_after);
    return {};
  }
  if (job.next_attempt && *job.next_attempt > now) {
    visit.answer = wait(job.waits_for, *job.next_attempt - now);
    return {};
  }
  if (job.state == JobState::undoing) {
    job.claimed_by = visit.name;
    job.claimed_until = now + work_lease;
    visit.outside = view;
    return save(store, visit.ports, job);
  }
  const std::uint32_t index = first_open(job);
  if (index == job.steps.size()) return complete(store, visit, view);
  if (std::string why = decided_meanwhile(view); !why.empty()) {
    CARDEA_TRY(begin_undo(job, now, std::move(why)));
    return save(store, visit.ports, job);
  }
  const StepKind* kind = step_kind(job.steps[index].kind);
  if (kind == nullptr)
    return error(Code::store_corrupt, fmt::format("job {} has a step '{}'", job.id, job.steps[index].kind));
  return kind->agent ? to_agent(store, visit, view, job.steps[index])
                     : by_manager(store, visit, view, job.steps[index]);
}

bool keeps_its_person(const Job& job) {
  return std::any_of(job.steps.begin(), job.steps.end(),
                     [](const Step& step) { return step.kind == "claim_token" && flag_of(step.result, keeps_person); });
}

// The token of a job that was taken back: promised to nobody again, unless it works already or was promised before.
Status release_token(Transaction& store, const Ports& ports, const JobView& view) {
  if (!view.job.token) return {};
  CARDEA_ASSIGN(Token token, store.token(*view.job.token));
  if (token.state != TokenState::assigned) return {};
  token.profile.reset();
  token.updated = ports.clock.now();
  if (keeps_its_person(view.job)) return store.update(token);
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(token.kind));
  // One that we made may have secrets of which only this job knew; it is thrown away.
  CARDEA_ASSIGN(token.state, after(token.state, secrets.made ? "cancel" : "release"));
  token.person.reset();
  return store.update(token);
}

Status finish_undo(Transaction& store, Visit& visit, const Outcome& outcome) {
  CARDEA_ASSIGN(JobView view, view_job(store, visit.job));
  Job& job = view.job;
  if (job.state != JobState::undoing) return {};
  const Time now = visit.ports.clock.now();
  release(job);
  if (outcome.state == Outcome::State::waiting) {
    ++job.ca_attempts;
    job.next_attempt = now + *outcome.retry_after;
    visit.answer = wait(job.waits_for + "; " + outcome.problem, *outcome.retry_after);
    return save(store, visit.ports, job);
  }
  if (outcome.state == Outcome::State::failed) job.waits_for += "; not taken back: " + outcome.problem;
  CARDEA_ASSIGN(job.state, after(job.state, "give_up"));
  job.next_attempt.reset();
  for (auto& step : job.steps)
    if (step.state == StepState::done) step.state = StepState::undone;
  CARDEA_TRY(release_token(store, visit.ports, view));
  CARDEA_TRY(save(store, visit.ports, job));
  if (auto next = after(view.request.state, "fail")) {
    view.request.state = *next;
    view.request.updated = now;
    view.request.code_check.clear();
    CARDEA_TRY(store.update(view.request));
  }
  visit.answer = ended(NextStep::State::failed, job.waits_for);
  return audit(store, job_actor(job), now, AuditAction::job_undone, subject(job.id), {{"why", job.waits_for}});
}

Status work_outside(Visit& visit) {
  const JobView view = *visit.outside;
  if (view.job.state == JobState::undoing) {
    CARDEA_ASSIGN(const Outcome outcome, take_back(visit.ports, view));
    return visit.ports.store.transact([&](Transaction& store) { return finish_undo(store, visit, outcome); });
  }
  CARDEA_ASSIGN(const Outcome outcome, run_with_authority(visit.ports, view, view.job.steps.at(visit.step)));
  return visit.ports.store.transact([&](Transaction& store) -> Status {
    visit.answer.reset();
    CARDEA_ASSIGN(JobView fresh, view_job(store, visit.job));
    // Withdrawn meanwhile, or taken over after the lease: what was done is found there by the one who goes on.
    if (fresh.job.claimed_by != visit.name) return {};
    return record(store, visit, fresh, visit.step, outcome);
  });
}

Result<NextStep> work(Visit& visit, std::chrono::seconds budget) {
  const auto end = std::chrono::steady_clock::now() + budget;
  for (int round = 0; round < most_rounds; ++round) {
    CARDEA_TRY(visit.ports.store.transact([&](Transaction& store) { return decide(store, visit); }));
    if (visit.answer) return std::move(*visit.answer);
    for (const auto& key : visit.to_open) {
      CARDEA_ASSIGN(visit.opened[key.id], open_archived_key(visit.ports.keys, key));
    }
    // However long that took: the next visit would have to open them again.
    if (!visit.to_open.empty()) continue;
    if (visit.outside) CARDEA_TRY(work_outside(visit));
    if (visit.answer) return std::move(*visit.answer);
    if (std::chrono::steady_clock::now() >= end) break;
  }
  return wait("Still working", busy_again_after);
}

// Whether an error is about what the token did, as the agent told it, rather than about our store or keys. What cannot
// be read at all (arguments_bad) tells nothing of the token: the report is refused, and the step still runs.
bool is_about_result(Code code) {
  switch (code) {
    case Code::data_invalid:
    case Code::data_length:
    case Code::signature_invalid:
    case Code::signature_length:
    case Code::public_key_invalid:
    case Code::curve_not_supported:
    case Code::attribute_value_invalid:
    case Code::key_size_range:
      return true;
    default:
      return false;
  }
}

Status take_result(Transaction& store, const Ports& ports, JobView& view, Step& step, const json::object& result) {
  auto accepted = accept(store, ports, view, step, result);
  if (!accepted && !is_about_result(accepted.code())) return accepted;
  if (!accepted) {
    step.state = StepState::failed;
    step.problem = accepted.error().detail.empty() ? describe(accepted.error()) : accepted.error().detail;
    return begin_undo(view.job, ports.clock.now(), step.problem);
  }
  step.state = StepState::done;
  step.finished = ports.clock.now();
  step.problem.clear();
  return wake(view.job);
}

Status take_report(Transaction& store, const Ports& ports, Id id, const StepReport& report) {
  CARDEA_ASSIGN(JobView view, view_job(store, id));
  if (report.step >= view.job.steps.size()) return error(Code::arguments_bad, "/report/step: the job has no such step");
  if (view.job.state != JobState::ready && view.job.state != JobState::waiting) return {};
  Step& step = view.job.steps[report.step];
  const StepKind* kind = step_kind(step.kind);
  if (kind == nullptr || !kind->agent) return error(Code::arguments_bad, "/report/step: this is no step of the agent");
  if (step.state != StepState::running) return {};  // reported before
  if (report.done) {
    CARDEA_TRY(take_result(store, ports, view, step, report.result));
    return save(store, ports, view.job);
  }
  step.problem = kept_text(report.problem.empty() ? report.code : report.problem, 500);
  step.state = report.retry ? StepState::planned : StepState::failed;
  if (!report.retry) CARDEA_TRY(begin_undo(view.job, ports.clock.now(), step.problem));
  return save(store, ports, view.job);
}

}  // namespace

Result<NextStep> next_step(const Ports& ports, Id job, const std::optional<StepReport>& report,
                           std::chrono::seconds budget) {
  if (report)
    CARDEA_TRY(ports.store.transact([&](Transaction& store) { return take_report(store, ports, job, *report); }));
  CARDEA_ASSIGN(std::string name, visitor_name(ports));
  Visit visit{ports, job, std::move(name), true};
  return work(visit, budget);
}

Result<bool> run_one_job(const Ports& ports) {
  CARDEA_ASSIGN(std::string name, visitor_name(ports));
  std::optional<Id> claimed;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const auto job, store.claim_job(name, ports.clock.now(), work_lease));
    claimed = job ? std::optional(job->id) : std::nullopt;
    return {};
  }));
  if (!claimed) return false;
  Visit visit{ports, *claimed, std::move(name), false};
  CARDEA_ASSIGN(const NextStep next, work(visit, std::chrono::seconds(60)));
  return next.state != NextStep::State::step;
}

Result<Job> undo_job(const Ports& ports, const Actor& actor, Id job, std::string_view why) {
  Job row;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(row, store.job(job));
    CARDEA_ASSIGN(const Request request, store.request(row.request));
    CARDEA_ASSIGN(const Person person, store.person(request.person));
    const JobKind* kind = job_kind(row.kind);
    const bool own = !actor.operator_id && actor.person == person.id;
    if (!own) CARDEA_TRY(require(actor, kind == nullptr ? Right::request_create : kind->right, person));
    if (row.state == JobState::completed)
      return error(Code::action_prohibited,
                   "the job is completed, so there is nothing to give up: ask for its credential to be cancelled or "
                   "retired");
    CARDEA_TRY(journal::give_up(store, ports, job, fmt::format("{} ({})", why, actor.name)));
    CARDEA_ASSIGN(row, store.job(job));
    return {};
  }));
  return row;
}

Status journal::give_up(Transaction& store, const Ports& ports, Id id, std::string why) {
  CARDEA_ASSIGN(Job job, store.job(id));
  if (job.state != JobState::ready && job.state != JobState::waiting) return {};
  CARDEA_TRY(begin_undo(job, ports.clock.now(), std::move(why)));
  return save(store, ports, job);
}

}  // namespace cardea::manager
