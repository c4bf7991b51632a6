// The daemon over HTTPS.
#pragma once

#include <functional>

#include "agent/contacts.h"
#include "agent/http_client.h"
#include "agent/server.h"

namespace cardea::agent {

class RestServer final : public Server, public Contacts {
 public:
  explicit RestServer(HttpClient client) : client_(std::move(client)) {}

  Result<AgentSession> open(std::string_view code, ByteView resume) override;
  Result<NextStep> next(const AgentSession& session, const std::optional<StepReport>& report) override;
  Result<Bytes> answer(const AgentSession& session, std::uint32_t step, const AdminChallenge& challenge,
                       bool factory) override;

  Result<std::string> nonce() override;
  Result<Contact> contact(const ContactProof& proof) override;
  Result<Contact> contact(const std::string& ticket) override;
  Result<AgentSession> open(const ContactProof& proof, std::int64_t request, ByteView resume) override;

 private:
  Result<json::object> call(const std::string& path, const json::object& body, ByteView bearer);

  HttpClient client_;
};

/// What the daemon's answer says, for tests of hostile ones: data_invalid when it is none.
Result<AgentSession> read_session(const json::object& answer);
Result<Contact> read_contact(const json::object& answer);
Result<NextStep> read_next_step(const json::object& answer);

}  // namespace cardea::agent
