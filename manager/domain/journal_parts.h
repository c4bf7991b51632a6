// What the files of the journal share. Not for others: journal.h is.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/certificate_policy.h"
#include "domain/journal.h"
#include "domain/ports.h"
#include "domain/profile.h"
#include "domain/token_secrets.h"

namespace cardea::manager::journal {

/// Where a kind of step runs (steps.def), and its line for people.
struct StepKind {
  std::string_view name;
  bool agent;
  std::string_view words;
};
/// Null for an unknown one.
const StepKind* step_kind(std::string_view name);

/// A job with what its steps need, read in one transaction.
struct JobView {
  Job job;
  Request request;
  Person person;
  std::optional<Profile> profile;
  ProfileRules rules;  ///< of the profile; defaults without one
  std::optional<Token> token;
};
Result<JobView> view_job(Transaction& store, Id job);

/// Stores a job for an approved request, which becomes `collecting`.
Result<Job> start_job(Transaction& store, const Ports& ports, Request& request);
/// What was decided since the job began that ends it, in words: its token cancelled or disabled, its person disabled.
/// Empty: it goes on.
std::string decided_meanwhile(const JobView& view);
/// Has a job that still runs taken back, by whoever works on it next; `why` in words.
Status give_up(Transaction& store, const Ports& ports, Id job, std::string why);

// A job's row (job_states.cc). What calls these stores it.

/// The index of the first step that is not done; their number when all are.
std::uint32_t first_open(const Job& job);
/// Nobody works on it.
void release(Job& job);
/// It can go on.
Status wake(Job& job);
/// It waits, for `text`; until somebody comes, or until that time.
Status sleep(Job& job, std::string text, std::optional<Time> until);
/// What was done is taken back by whoever works on it next; `why` in words.
Status begin_undo(Job& job, Time now, std::string why);
/// The last that the agent is told of a job that went well.
std::string completion_text(const Job& job);

// Planning (planners.cc).

/// The steps of a job before its token is known; for kinds without an agent all of them.
std::vector<Step> first_steps(const JobView& view);
/// What follows once the token has been read and claimed; `inspected` is the result of inspect_token.
Result<std::vector<Step>> steps_on_token(Transaction& store, const Ports& ports, const JobView& view,
                                         const json::object& inspected);
/// Appends steps with their indices.
void append_steps(Job& job, std::vector<Step> steps);
Step planned_step(std::string_view kind, json::object parameters = {});

// Steps of the agent (agent_steps.cc).

/// Archived keys by their numbers, opened outside of any transaction: a key token may be far away, and every other
/// writer would wait for it.
using OpenedKeys = std::map<Id, SecretBytes>;
/// The parameters as they are sent: with secrets and certificates filled in. Tells of secrets in the audit log.
/// `opened` has what keys_to_open named.
Result<json::object> hand_out(Transaction& store, const Ports& ports, const JobView& view, const Step& step,
                              const OpenedKeys& opened);
/// Checks a result and writes what follows from it; an error means that the step failed.
Status accept(Transaction& store, const Ports& ports, JobView& view, Step& step, const json::object& result);

// Those that give archived keys (archived_key_steps.cc).

/// The archived keys that go with the step and are not among the opened ones yet.
Result<std::vector<ArchivedKey>> keys_to_open(Transaction& store, const JobView& view, const Step& step,
                                              const OpenedKeys& opened);
/// Parameters of import_key and of write_history.
Result<json::object> give_archived_key(Transaction& store, const Ports& ports, const JobView& view, const Step& step,
                                       const OpenedKeys& opened);
Result<json::object> give_history(Transaction& store, const Ports& ports, const JobView& view, const Step& step,
                                  const OpenedKeys& opened);

// Steps of the manager (manager_steps.cc).

/// What became of one.
struct Outcome {
  enum class State { done, waiting, failed } state = State::done;
  json::object result = {};
  std::string problem = {};  ///< waiting, failed
  std::optional<std::chrono::seconds> retry_after = {};
};
inline Outcome failed(std::string problem) {
  return {.state = Outcome::State::failed, .problem = std::move(problem)};
}

/// In the result of claim_token: the token was the person's before the job, so it stays that when the job is undone.
inline constexpr std::string_view keeps_person = "keeps_person";
/// The step claim_token (claim_step.cc): checks the token that the agent told of, and plans what follows.
Result<Outcome> claim_token(Transaction& store, const Ports& ports, JobView& view, Step& step);
/// Whether it asks an authority, so that it cannot run inside a transaction.
bool asks_authority(std::string_view kind);
/// One that needs the store alone; its effect and its record are one transaction.
Result<Outcome> run_in_store(Transaction& store, const Ports& ports, JobView& view, Step& step);
/// One that asks authorities; makes its own transactions, each step of it idempotent. Marks the step done in the
/// transaction that stores what it led to.
Result<Outcome> run_with_authority(const Ports& ports, const JobView& view, const Step& step);
/// Takes back what a job did at authorities; waiting when one of them does not answer.
Result<Outcome> take_back(const Ports& ports, const JobView& view);

// Where keys were made (attestation_steps.cc).

/// Why the token cannot meet a profile that demands attestation, in a sentence; empty: it may, or nothing is demanded.
/// `facts` is what the agent told of it; null before it is made.
std::string attestation_obstacle(const Ports& ports, const ProfileRules& rules, std::string_view kind,
                                 const json::object* facts);
/// Checks the statement of the step attest_key before it. What holds is stored with the token, unless the token has to
/// be asked something first.
Result<Outcome> verify_attestation(Transaction& store, const Ports& ports, JobView& view, const Step& step);
/// Checks the token's answer to that.
Result<Outcome> confirm_attestation(Transaction& store, const Ports& ports, JobView& view, const Step& step);
/// The parameters of answer_attestation with what the token is to be asked; without a credential there is nothing.
json::object give_attestation_challenge(const JobView& view, const Step& step);
/// What was verified in this job, before `index`, about exactly this key; empty: nothing.
Result<json::object> attestation_of(const Job& job, std::uint32_t index, std::string_view container, ByteView spki);

// Helpers.

/// The last step of that kind (and container, unless empty) before `index` that is done; null without.
const Step* step_before(const Job& job, std::uint32_t index, std::string_view kind, std::string_view container = {});
std::string text_of(const json::object& object, std::string_view name);
std::int64_t number_of(const json::object& object, std::string_view name);
bool flag_of(const json::object& object, std::string_view name);
/// Base64 of a member; empty when it is none.
Bytes bytes_of(const json::object& object, std::string_view name);
json::string base64(ByteView bytes);
/// Base64 made without a copy of the secret outside of the answer.
json::string base64(const SecretBytes& secret);
Actor job_actor(const Job& job);

}  // namespace cardea::manager::journal
