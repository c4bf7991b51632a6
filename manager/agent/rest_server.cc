#include "agent/rest_server.h"

#include <fmt/format.h>
#include <unistd.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/wiping_memory.h"
#include "client/secret_text.h"

namespace cardea::agent {
namespace {

std::string text(const json::object& object, std::string_view member) {
  const json::value* const value = object.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<std::int64_t> number(const json::object& object, std::string_view member) {
  const json::value* const value = object.if_contains(member);
  if (value == nullptr) return {};
  boost::system::error_code problem;
  const auto result = value->to_number<std::int64_t>(problem);
  return problem ? std::nullopt : std::optional(result);
}

Error not_understood() {
  return error(Code::data_invalid, "the daemon's answer is not understood; is its address right?");
}

/// A problem (RFC 9457) in our terms. The type ends in the problem's name.
Error problem_of(long status, const json::object& body) {
  struct Meaning {
    std::string_view name;
    Code code;
  };
  constexpr std::array<Meaning, 4> meanings{{{"code-wrong", Code::pin_incorrect},
                                             {"code-locked", Code::pin_locked},
                                             {"code-used", Code::session_exists},
                                             {"code-expired", Code::pin_expired}}};
  std::string words = text(body, "detail");
  if (words.empty()) words = text(body, "title");
  if (words.empty()) words = fmt::format("the daemon answered with status {}", status);
  std::string type = text(body, "type");
  std::ranges::replace(type, '_', '-');
  for (const Meaning& meaning : meanings) {
    if (type.ends_with(meaning.name)) return error(meaning.code, words);
  }
  constexpr long too_many = 429;
  constexpr long server_failed = 500;
  if (status == too_many || status >= server_failed) return error(Code::timed_out, words);
  switch (status) {
    case 401:
      return error(Code::user_not_logged_in, words);
    case 403:
      return error(Code::permission_denied, words);
    case 404:
      return error(Code::not_found, words);
    case 409:
      return error(Code::action_prohibited, words);
    default:
      return error(Code::function_rejected, words);
  }
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

json::object about_agent() {
  return {{"version", CARDEA_VERSION}, {"host", host_name()}};
}

json::object proof_json(const ContactProof& proof) {
  return {{"certificate", to_base64(proof.certificate)},
          {"nonce", proof.nonce},
          {"mechanism", proof.mechanism},
          {"signature", to_base64(proof.signature)}};
}

json::object report_json(const StepReport& report) {
  if (report.result) return {{"step", report.step}, {"outcome", "done"}, {"result", *report.result}};
  return {{"step", report.step},
          {"outcome", "failed"},
          {"problem", describe(report.problem)},
          {"code", name(report.problem.code)},
          {"retry", report.retry}};
}

}  // namespace

Result<AgentSession> read_session(const json::object& answer) {
  AgentSession session;
  const json::value* const secret = answer.if_contains("session");
  const auto job = number(answer, "job");
  if (secret == nullptr || !secret->is_string() || secret->get_string().empty() || !job) return not_understood();
  session.secret = SecretBytes(view_of(std::string_view(secret->get_string())));
  session.job = *job;
  session.text = text(answer, "text");
  const std::string kind = text(answer, "kind");
  session.makes_tokens = kind == "issue" || kind == "replace";
  if (const json::value* const token = answer.if_contains("token"); token != nullptr && token->is_object()) {
    session.token_kind = text(token->get_object(), "kind");
    session.token_serial = text(token->get_object(), "serial");
  }
  const json::value* const kinds = answer.if_contains("device_kinds");
  if (kinds == nullptr || !kinds->is_array()) return not_understood();
  for (const json::value& each : kinds->get_array()) {
    if (!each.is_string()) return not_understood();
    session.device_kinds.emplace_back(each.get_string());
  }
  return session;
}

Result<Contact> read_contact(const json::object& answer) {
  constexpr std::size_t most_jobs = 1000;
  Contact contact;
  contact.ticket = text(answer, "ticket");
  const json::value* const jobs = answer.if_contains("jobs");
  if (contact.ticket.empty() || jobs == nullptr || !jobs->is_array() || jobs->get_array().size() > most_jobs) {
    return not_understood();
  }
  for (const json::value& each : jobs->get_array()) {
    const auto request = each.is_object() ? number(each.get_object(), "request") : std::nullopt;
    if (!request || *request < 1) return not_understood();
    contact.jobs.push_back({*request, text(each.get_object(), "kind"), text(each.get_object(), "text")});
  }
  return contact;
}

Result<NextStep> read_next_step(const json::object& answer) {
  NextStep next;
  next.text = text(answer, "text");
  const std::string state = text(answer, "state");
  if (state == "waiting") {
    constexpr std::int64_t longest = 3600;
    next.retry_after =
        std::chrono::seconds(std::clamp<std::int64_t>(number(answer, "retry_after").value_or(1), 0, longest));
    return next;
  }
  if (state == "completed" || state == "failed") {
    next.state = state == "completed" ? NextStep::State::completed : NextStep::State::failed;
    return next;
  }
  const json::value* const step = answer.if_contains("step");
  if (state != "step" || step == nullptr || !step->is_object()) return not_understood();
  const json::object& about = step->get_object();
  const auto index = number(about, "index");
  if (!index || *index < 0 || text(about, "kind").empty()) return not_understood();
  next.state = NextStep::State::step;
  next.index = static_cast<std::uint32_t>(*index);
  next.kind = text(about, "kind");
  next.text = text(about, "text");
  next.of = static_cast<std::uint32_t>(std::max<std::int64_t>(number(about, "of").value_or(0), 0));
  if (const json::value* const parameters = about.if_contains("parameters")) {
    if (!parameters->is_object()) return not_understood();
    next.parameters = json::object(parameters->get_object(), answer.storage());
  }
  return next;
}

Result<json::object> RestServer::call(const std::string& path, const json::object& body, ByteView bearer) {
  const SecretBytes text = client::secret_text(body);
  CARDEA_ASSIGN(const HttpAnswer answer, client_.post(path, text_of(text.view()), bearer));
  boost::system::error_code problem;
  const json::storage_ptr memory = wiping_memory();
  json::value document = json::parse(text_of(answer.body.view()), problem, memory);
  const bool good = answer.status >= 200 && answer.status < 300;
  if (problem || !document.is_object()) {
    return good ? not_understood() : problem_of(answer.status, json::object());
  }
  if (!good) return problem_of(answer.status, document.get_object());
  return std::move(document.get_object());
}

Result<AgentSession> RestServer::open(std::string_view code, ByteView resume) {
  const json::object body{{"code", code}, {"agent", about_agent()}};
  CARDEA_ASSIGN(const json::object answer, call("/v1/agent/sessions", body, resume));
  return read_session(answer);
}

Result<NextStep> RestServer::next(const AgentSession& session, const std::optional<StepReport>& report) {
  json::object body;
  if (report) body["report"] = report_json(*report);
  CARDEA_ASSIGN(const json::object answer,
                call(fmt::format("/v1/agent/jobs/{}/next", session.job), body, session.secret.view()));
  return read_next_step(answer);
}

Result<Bytes> RestServer::answer(const AgentSession& session, std::uint32_t step, const AdminChallenge& challenge,
                                 bool factory) {
  const json::object body{{"step", step},
                          {"challenge", to_hex(challenge.bytes)},
                          {"purpose", "admin-key"},
                          {"algorithm", challenge.algorithm},
                          {"factory", factory}};
  CARDEA_ASSIGN(const json::object reply,
                call(fmt::format("/v1/agent/jobs/{}/challenge", session.job), body, session.secret.view()));
  Bytes bytes;
  if (!from_hex(text(reply, "answer"), bytes) || bytes.empty()) return not_understood();
  return bytes;
}

constexpr const char* contacts_path = "/v1/agent/contacts";

Result<std::string> RestServer::nonce() {
  CARDEA_ASSIGN(const json::object answer, call(contacts_path, {{"agent", about_agent()}}, {}));
  std::string nonce = text(answer, "nonce");
  if (nonce.empty()) return not_understood();
  return nonce;
}

Result<Contact> RestServer::contact(const ContactProof& proof) {
  CARDEA_ASSIGN(const json::object answer,
                call(contacts_path, {{"agent", about_agent()}, {"proof", proof_json(proof)}}, {}));
  return read_contact(answer);
}

Result<Contact> RestServer::contact(const std::string& ticket) {
  CARDEA_ASSIGN(const json::object answer, call(contacts_path, {{"agent", about_agent()}, {"ticket", ticket}}, {}));
  return read_contact(answer);
}

Result<AgentSession> RestServer::open(const ContactProof& proof, std::int64_t request, ByteView resume) {
  json::object body{{"agent", about_agent()}, {"proof", proof_json(proof)}, {"request", request}};
  if (!resume.empty()) body["resume"] = text_of(resume);
  CARDEA_ASSIGN(const json::object answer, call(contacts_path, body, {}));
  return read_session(answer);
}

}  // namespace cardea::agent
