// What opening an agent's session takes, by whichever way the agent was let in. Not for others: journal.h and
// agent_contact.h are.
#pragma once

#include <optional>
#include <string_view>

#include "domain/journal.h"

namespace cardea::manager {

/// What opening a session came to: counters are stored also when it is refused.
struct Opening {
  std::optional<Error> refusal;
  AgentSession session;
};

/// A session's secret, printable.
Result<SecretBytes> fresh_session_secret();
/// The job of the request for an agent with that secret: a new one, the one that runs if `resume` is the secret of its
/// agent or that one has been silent for 15 minutes, or a refusal.
Status take_job(Transaction& store, const Ports& ports, Request& request, std::string_view resume,
                const SecretBytes& fresh, Opening& out);
/// Fills in what the agent is told of the session's job.
Status describe_session(Transaction& store, AgentSession& session);
/// Whose doing it is in the audit log.
Actor agent_actor(std::string_view host);

}  // namespace cardea::manager
