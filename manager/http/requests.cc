// Requests: asked for, approved, collected with a one-time code; and the jobs that carry them out.
#include "domain/requests.h"

#include <boost/json.hpp>

#include "domain/archive.h"
#include "domain/journal.h"
#include "http/listing.h"
#include "http/route.h"

namespace cardea::http {
namespace {

using manager::Id;
using manager::Job;
using manager::Request;
using manager::Right;
using manager::Transaction;

constexpr Id largest_id = std::numeric_limits<Id>::max();
constexpr std::size_t longest_comment = 1024;

// A body of nothing but a comment.
Result<std::string> read_comment(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  const std::string comment = reader.optional_text("comment", longest_comment).value_or("");
  CARDEA_TRY(reader.done());
  return comment;
}

Status read_nothing(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  return JsonReader(body, context.errors).done();
}

std::string_view secret_text(const SecretBytes& secret) {
  return text_of(secret.view());
}

}  // namespace

Result<HttpResponse> list_requests(RequestContext& context) {
  return list_rows<Request>(context, Right::request_read, &Transaction::requests);
}

Result<HttpResponse> show_request(RequestContext& context) {
  return show_row<Request>(context, Right::request_read, &Transaction::request);
}

Result<HttpResponse> create_request(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  manager::NewRequest wanted;
  wanted.kind = reader.required_string("kind", 64);
  wanted.person = reader.required_number("person", 1, largest_id);
  wanted.profile = reader.optional_string("profile", 128).value_or("");
  wanted.token = reader.optional_number("token", 1, largest_id);
  wanted.reason = reader.optional_string("reason", 64).value_or("");
  const boost::json::value* parameters = reader.raw("parameters");
  if (parameters != nullptr && parameters->is_object()) {
    wanted.parameters = parameters->get_object();
  } else if (parameters != nullptr) {
    reader.refuse("parameters", "It must be an object.");
  }
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Request saved, manager::create_request(context.ports(), context.actor(), wanted));
  return created("/v1/requests/" + std::to_string(saved.id), shape(saved));
}

Result<HttpResponse> approve_request(RequestContext& context) {
  CARDEA_ASSIGN(const Id id, context.id_part("id"));
  CARDEA_ASSIGN(const std::string comment, read_comment(context));
  CARDEA_ASSIGN(const Request saved, manager::approve_request(context.ports(), context.actor(), id, comment));
  return entity_answer(shape(saved));
}

Result<HttpResponse> reject_request(RequestContext& context) {
  CARDEA_ASSIGN(const Id id, context.id_part("id"));
  CARDEA_ASSIGN(const std::string comment, read_comment(context));
  CARDEA_ASSIGN(const Request saved, manager::reject_request(context.ports(), context.actor(), id, comment));
  return entity_answer(shape(saved));
}

Result<HttpResponse> cancel_request(RequestContext& context) {
  CARDEA_ASSIGN(const Id id, context.id_part("id"));
  CARDEA_TRY(read_nothing(context));
  CARDEA_ASSIGN(const Request saved, manager::cancel_request(context.ports(), context.actor(), id));
  return entity_answer(shape(saved));
}

Result<HttpResponse> make_request_code(RequestContext& context) {
  CARDEA_ASSIGN(const Id id, context.id_part("id"));
  CARDEA_TRY(read_nothing(context));
  CARDEA_ASSIGN(const manager::IssuedCode code, manager::make_code(context.ports(), context.actor(), id));
  context.shows_secret = true;
  return json_answer({{"code", secret_text(code.text)}, {"expires", format_time(code.expires)}}, 201);
}

Result<HttpResponse> recover_request_keys(RequestContext& context) {
  CARDEA_ASSIGN(const Id id, context.id_part("id"));
  CARDEA_TRY(read_nothing(context));
  CARDEA_ASSIGN(const manager::RecoveredKeys keys, manager::recover_as_pkcs12(context.ports(), context.actor(), id));
  boost::json::array identities;
  for (const manager::RecoveredIdentity& one : keys.identities) {
    identities.push_back(boost::json::object{{"name", one.name},
                                             {"pkcs12", to_base64(text_of(one.pkcs12.view()))},
                                             {"password", secret_text(one.password)}});
  }
  boost::json::array left_out;
  for (const std::string& name : keys.left_out) left_out.emplace_back(name);
  context.shows_secret = true;
  return json_answer({{"identities", std::move(identities)}, {"left_out", std::move(left_out)}});
}

Result<HttpResponse> list_jobs(RequestContext& context) {
  return list_rows<Job>(context, Right::request_read, &Transaction::jobs);
}

Result<HttpResponse> show_job(RequestContext& context) {
  return show_row<Job>(context, Right::request_read, &Transaction::job);
}

Result<HttpResponse> undo_job(RequestContext& context) {
  CARDEA_ASSIGN(const Id id, context.id_part("id"));
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  const std::string why = reader.required_string("why", longest_comment);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Job undone, manager::undo_job(context.ports(), context.actor(), id, why));
  return entity_answer(shape(undone));
}

}  // namespace cardea::http
