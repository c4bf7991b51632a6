// The journal: jobs whose steps are stored before and after they run, so that whatever was cut off goes on or is taken
// back (docs/manager.md).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// What an agent gets for a one-time code.
struct AgentSession {
  SecretBytes secret;  ///< printable ASCII; the bearer token of what follows
  Id job = 0;
  std::string kind;
  std::string text;  ///< "Issue 'staff' to Alice Archer"
  std::vector<std::string> device_kinds;
  json::object pin_policy;
  /// Which token the job has begun with, as the agent told; empty: none yet. Whoever takes the job over goes on with
  /// that and no other.
  std::string token_kind;
  std::string token_serial;
};

/// Opens a session for a code. The first starts the job; another one only resumes it with the first's secret
/// (`resume`), or after its lease has passed. Errors: pin_incorrect with the tries left (code-wrong), pin_locked
/// (code-locked), session_exists (code-used: its job runs or has ended), pin_expired (code-expired), arguments_bad.
Result<AgentSession> open_agent_session(const Ports& ports, std::string_view code, std::string_view resume,
                                        std::string_view host);

/// How long a session lasts of which nothing is heard, unless the settings say otherwise.
inline constexpr std::chrono::seconds session_lasts = std::chrono::hours(24);
/// The job that this session's secret belongs to; permission_denied, also when it waits for the agent and nothing was
/// heard of that for so long: what lies on the disk of a machine that was left is not good for ever.
Result<Id> job_of_session(const Ports& ports, Id job, std::string_view secret,
                          std::chrono::seconds lasts = session_lasts);

/// What an agent did.
struct StepReport {
  std::uint32_t step = 0;
  bool done = false;
  json::object result;  ///< when done
  std::string problem;  ///< when not, a sentence
  std::string code;     ///< its name in errors.def
  bool retry = false;   ///< false: the job is undone
};

/// What an agent is to do next.
struct NextStep {
  enum class State { step, waiting, completed, failed };
  State state = State::waiting;
  std::string text;                     ///< for the person who watches
  std::chrono::seconds retry_after{0};  ///< waiting
  std::uint32_t index = 0;              ///< step, and those below
  std::string kind;
  std::size_t of = 0;
  json::object parameters;  ///< may hold secrets: never logged
};

/// Takes the report of the step before (repeating one is harmless) and answers what comes next; runs the manager's own
/// steps in between, until one has to wait or `budget` has passed. not_found.
Result<NextStep> next_step(const Ports& ports, Id job, const std::optional<StepReport>& report,
                           std::chrono::seconds budget = std::chrono::seconds(10));

/// An administrator's challenge and what it is for (docs/manager.md).
struct AdminQuestion {
  std::uint32_t step = 0;
  Bytes challenge;
  std::string purpose;
  std::string algorithm;
  bool factory = false;
};
/// The answer, under the token's derived key or the kind's factory key. action_prohibited unless that agent step of the
/// job runs; arguments_bad. Audited.
Result<Bytes> answer_challenge(const Ports& ports, Id job, const AdminQuestion& question);

/// Works off jobs that need no agent, or whose time has come; answers whether there was one. Call it from a thread of
/// the daemon, and again until it answers false.
Result<bool> run_one_job(const Ports& ports);

/// Gives a job up: what it did is taken back (its certificates that are not active are revoked). Needs the right that
/// asking for it needs; the person may give up one's own. Nothing more happens to one that is given up already;
/// action_prohibited for a completed one.
Result<Job> undo_job(const Ports& ports, const Actor& actor, Id job, std::string_view why);

/// Where a job stands and why, in a sentence or two.
std::string job_sentence(const Job& job);

}  // namespace cardea::manager
