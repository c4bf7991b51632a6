// The daemon as the agent sees it (docs/manager.md, "What agent and daemon say").
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "agent/device.h"

namespace cardea::agent {

namespace json = boost::json;

/// What a one-time code opens.
struct AgentSession {
  SecretBytes secret;
  std::int64_t job = 0;
  std::string text;                       ///< what the job does, for the person
  std::vector<std::string> device_kinds;  ///< piv, gids, keystore, tpm
  bool makes_tokens = false;              ///< the job issues: a keystore or virtual card is made for it
  std::string token_kind;                 ///< with the next: which token the job has begun with; empty: none yet
  std::string token_serial;
};

/// What became of a step.
struct StepReport {
  std::uint32_t step = 0;
  std::optional<json::object> result;  ///< empty: it failed
  Error problem = {Code::internal};
  bool retry = false;  ///< the step is to be asked for again; otherwise the job is undone
};

struct NextStep {
  enum class State : std::uint8_t { step, waiting, completed, failed };
  State state = State::waiting;
  std::string text;
  std::chrono::seconds retry_after{0};  ///< waiting
  std::uint32_t index = 0;              ///< step, and those below
  std::string kind;
  std::uint32_t of = 0;
  json::object parameters;  ///< may hold secrets; in memory that is wiped
};

/// Errors of all: timed_out when the daemon cannot be reached or is busy, which passes; permission_denied, not_found,
/// function_rejected in the daemon's own words, which do not.
class Server {
 public:
  virtual ~Server() = default;
  /// `resume`: the secret of an earlier session of the same code; empty without. pin_incorrect for a wrong code,
  /// pin_locked, pin_expired, session_exists for a used one.
  virtual Result<AgentSession> open(std::string_view code, ByteView resume) = 0;
  /// Reports a step, if there is a report, and asks for the next one.
  virtual Result<NextStep> next(const AgentSession& session, const std::optional<StepReport>& report) = 0;
  /// Has an administrator's challenge answered while that step runs; `factory`: by the key from the factory.
  /// action_prohibited where the daemon does not do that.
  virtual Result<Bytes> answer(const AgentSession& session, std::uint32_t step, const AdminChallenge& challenge,
                               bool factory) = 0;
};

}  // namespace cardea::agent
