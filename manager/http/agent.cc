// What agents say to the manager (docs/manager.md, "What agent and daemon say").
#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <limits>

#include "domain/agent_contact.h"
#include "domain/journal.h"
#include "http/authentication.h"
#include "http/route.h"
#include "http/services.h"

namespace cardea::http {
namespace {

using manager::Id;
using manager::NextStep;

constexpr std::size_t longest_sentence = 2048;
constexpr std::size_t longest_challenge = 256;

// The job of the path, when the session secret is that job's.
Result<Id> job_of_caller(RequestContext& context) {
  CARDEA_ASSIGN(const Id job, context.id_part("id"));
  const auto secret = bearer_token(context.request);
  if (!secret)
    return error(Code::user_not_logged_in,
                 "send the session secret as 'Authorization: Bearer …'; a one-time code "
                 "opens a session");
  return manager::job_of_session(context.ports(), job, *secret, context.services.session_lasts);
}

std::optional<manager::StepReport> read_report(JsonReader& reader) {
  auto inner = reader.optional_object("report");
  if (!inner) return std::nullopt;
  manager::StepReport report;
  report.step = static_cast<std::uint32_t>(inner->required_number("step", 0, 10'000));
  report.done = inner->required_word("outcome", {"done", "failed"}) == "done";
  if (const boost::json::value* result = inner->raw("result")) {
    if (result->is_object()) {
      report.result = result->get_object();
    } else {
      inner->refuse("result", "It must be an object.");
    }
  }
  report.problem = inner->optional_text("problem", longest_sentence).value_or("");
  report.code = inner->optional_string("code", 64).value_or("");
  report.retry = inner->optional_bool("retry").value_or(false);
  inner->finish();
  return report;
}

boost::json::object shape_of_step(const NextStep& next) {
  switch (next.state) {
    case NextStep::State::step:
      return {{"state", "step"},
              {"step", boost::json::object{{"index", next.index},
                                           {"kind", next.kind},
                                           {"text", next.text},
                                           {"of", next.of},
                                           {"parameters", next.parameters}}}};
    case NextStep::State::waiting:
      return {{"state", "waiting"}, {"text", next.text}, {"retry_after", next.retry_after.count()}};
    case NextStep::State::completed:
      return {{"state", "completed"}, {"text", next.text}};
    case NextStep::State::failed:
      break;
  }
  return {{"state", "failed"}, {"text", next.text}};
}

// `what` is a sentence about what was wrong and what to look at.
HttpResponse too_many_attempts(std::string_view what, std::chrono::seconds wait) {
  HttpResponse response =
      problem(Problem::too_many_attempts, fmt::format("{} Try again in {} seconds.", what, wait.count()));
  response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
  return response;
}

// Whether an error says that the code was no good, as opposed to that nobody could look.
bool is_refusal(Code code) {
  return code == Code::pin_incorrect || code == Code::pin_locked || code == Code::pin_expired ||
         code == Code::session_exists || code == Code::arguments_bad;
}

// Proofs and tickets cannot be guessed in any number of attempts, but each takes the key token's time, and whoever is
// refused again and again is no agent of ours.
template <class Work>
Result<HttpResponse> unless_refused_too_often(RequestContext& context, Work work) {
  AttemptLimit& limit = context.services.refused_contacts;
  const std::string& address = context.request.peer.address;
  if (const auto wait = limit.begin(address, std::chrono::steady_clock::now()))
    return too_many_attempts("Too many proofs or tickets of agents were refused. The agent's log says why.", *wait);
  Result<HttpResponse> answer = work();
  if (answer || answer.code() != Code::permission_denied) limit.forgive(address);
  return answer;
}

std::string read_host(JsonReader& reader) {
  auto agent = reader.optional_object("agent");
  if (!agent) return "";
  agent->optional_string("version", 64);
  std::string host = agent->optional_string("host", 256).value_or("");
  agent->finish();
  return host;
}

HttpResponse session_answer(RequestContext& context, const manager::AgentSession& session, const std::string& host) {
  boost::json::array kinds;
  for (const std::string& kind : session.device_kinds) kinds.emplace_back(kind);
  context.services.log.info("agent session", {{"job", std::to_string(session.job)}, {"host", host}});
  boost::json::object answer{{"session", text_of(session.secret.view())},
                             {"job", session.job},
                             {"kind", session.kind},
                             {"text", session.text},
                             {"device_kinds", std::move(kinds)},
                             {"pin_policy", session.pin_policy}};
  if (!session.token_serial.empty())
    answer["token"] = boost::json::object{{"kind", session.token_kind}, {"serial", session.token_serial}};
  return json_answer(answer, 201);
}

std::optional<manager::ContactProof> read_proof(JsonReader& reader) {
  auto inner = reader.optional_object("proof");
  if (!inner) return std::nullopt;
  manager::ContactProof proof;
  constexpr std::size_t longest_certificate = 16 * 1024;
  constexpr std::size_t longest_signature = 8 * 1024;
  const std::string certificate = inner->required_base64("certificate", longest_certificate);
  const std::string signature = inner->required_base64("signature", longest_signature);
  proof.certificate = to_bytes(view_of(certificate));
  proof.signature = to_bytes(view_of(signature));
  proof.nonce = inner->required_string("nonce", longest_challenge);
  proof.mechanism = inner->required_string("mechanism", 64);
  inner->finish();
  return proof;
}

HttpResponse contact_answer(const manager::Contact& contact) {
  boost::json::array jobs;
  for (const manager::WaitingJob& job : contact.jobs)
    jobs.push_back(boost::json::object{{"request", job.request}, {"kind", job.kind}, {"text", job.text}});
  return json_answer({{"token", boost::json::object{{"kind", contact.token_kind}, {"serial", contact.token_serial}}},
                      {"ticket", contact.ticket},
                      {"jobs", std::move(jobs)}});
}

}  // namespace

Result<HttpResponse> open_session(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  const std::string code = reader.required_string("code", 128);
  const std::string host = read_host(reader);
  CARDEA_TRY(reader.done());
  const std::string_view resume = bearer_token(context.request).value_or("");
  // A wrong code is counted against its request, where there is one; guessing numbers of requests is bounded here.
  const std::string& address = context.request.peer.address;
  if (const auto wait = context.services.wrong_codes.begin(address, std::chrono::steady_clock::now()))
    return too_many_attempts("Too many one-time codes were wrong. Look at the code again.", *wait);
  const auto opened = manager::open_agent_session(context.ports(), code, resume, host);
  if (opened || !is_refusal(opened.code())) context.services.wrong_codes.forgive(address);
  if (!opened) return opened.error();
  return session_answer(context, *opened, host);
}

// Nothing but an agent: a nonce to sign. A ticket or a proof: what waits. A proof and a request: a session for that.
Result<HttpResponse> contact_agent(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  const std::string host = read_host(reader);
  const auto proof = read_proof(reader);
  const auto ticket = reader.optional_string("ticket", longest_challenge);
  const auto request = reader.optional_number("request", 1, std::numeric_limits<std::int64_t>::max());
  const std::string resume = reader.optional_string("resume", longest_challenge).value_or("");
  if (request && !proof) reader.refuse("request", "It takes a proof.");
  if (ticket && proof) reader.refuse("ticket", "Send a ticket or a proof, not both.");
  CARDEA_TRY(reader.done());
  if (!proof && !ticket) {
    CARDEA_ASSIGN(const std::string nonce, manager::contact_nonce(context.ports()));
    return json_answer({{"nonce", nonce}});
  }
  return unless_refused_too_often(context, [&]() -> Result<HttpResponse> {
    if (request) {
      CARDEA_ASSIGN(const manager::AgentSession session,
                    manager::open_contact_session(context.ports(), *proof, *request, resume, host));
      return session_answer(context, session, host);
    }
    CARDEA_ASSIGN(const manager::Contact contact, proof ? manager::make_contact(context.ports(), *proof)
                                                        : manager::renew_contact(context.ports(), *ticket));
    return contact_answer(contact);
  });
}

Result<HttpResponse> next_agent_step(RequestContext& context) {
  CARDEA_ASSIGN(const Id job, job_of_caller(context));
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  const auto report = read_report(reader);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const NextStep next, manager::next_step(context.ports(), job, report));
  return json_answer(shape_of_step(next));
}

Result<HttpResponse> answer_agent_challenge(RequestContext& context) {
  CARDEA_ASSIGN(const Id job, job_of_caller(context));
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  manager::AdminQuestion question;
  question.step = static_cast<std::uint32_t>(reader.required_number("step", 0, 10'000));
  const std::string challenge = reader.required_string("challenge", 2 * longest_challenge);
  if (!challenge.empty() && !from_hex(challenge, question.challenge))
    reader.refuse("challenge", "It must be hexadecimal.");
  question.purpose = reader.required_string("purpose", 32);
  question.algorithm = reader.required_string("algorithm", 32);
  question.factory = reader.optional_bool("factory").value_or(false);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Bytes answer, manager::answer_challenge(context.ports(), job, question));
  return json_answer({{"answer", to_hex(answer)}});
}

}  // namespace cardea::http
