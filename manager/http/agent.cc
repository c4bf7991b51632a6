// What agents say to the manager (docs/manager.md, "What agent and daemon say").
#include <boost/json.hpp>

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
  return manager::job_of_session(context.ports(), job, *secret);
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

}  // namespace

Result<HttpResponse> open_session(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  const std::string code = reader.required_string("code", 128);
  std::string host;
  if (auto agent = reader.optional_object("agent")) {
    agent->optional_string("version", 64);
    host = agent->optional_string("host", 256).value_or("");
    agent->finish();
  }
  CARDEA_TRY(reader.done());
  const std::string_view resume = bearer_token(context.request).value_or("");
  CARDEA_ASSIGN(const manager::AgentSession session, manager::open_agent_session(context.ports(), code, resume, host));
  boost::json::array kinds;
  for (const std::string& kind : session.device_kinds) kinds.emplace_back(kind);
  context.services.log.info("agent session", {{"job", std::to_string(session.job)}, {"host", host}});
  return json_answer({{"session", text_of(session.secret.view())},
                      {"job", session.job},
                      {"kind", session.kind},
                      {"text", session.text},
                      {"device_kinds", std::move(kinds)},
                      {"pin_policy", session.pin_policy}},
                     201);
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
