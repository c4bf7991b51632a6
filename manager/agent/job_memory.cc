#include "agent/job_memory.h"

#include <boost/json.hpp>

#include <algorithm>
#include <iterator>

#include "agent/private_file.h"
#include "base/wiping_memory.h"
#include "client/secret_text.h"
#include "crypto/digest.h"

namespace cardea::agent {
namespace {

namespace json = boost::json;

// "7-4821 3377" → "7": the request's number says which job it is. A hash of the whole code would give the code away to
// whoever finds the file, since a few digits can be tried out.
std::string_view job_name(std::string_view code) {
  const std::string_view number = code.substr(0, std::min(code.find('-'), code.size()));
  return number.find_first_not_of("0123456789 ") == std::string_view::npos ? number : code;
}

std::string text(const json::object& object, const char* member) {
  const json::value* const value = object.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

JobMemory::JobMemory(const std::filesystem::path& directory, std::string_view server, std::string_view code) {
  std::string name = std::string(server) + "\n";
  std::ranges::copy_if(job_name(code), std::back_inserter(name), [](char c) { return c != ' '; });
  const Result<Bytes> digest = crypto::digest(Hash::sha256, view_of(name));
  file_ = directory / ("job-" + (digest ? to_hex(*digest) : std::string()));
}

std::optional<RememberedJob> JobMemory::load() const {
  const Result<std::optional<SecretBytes>> content = read_private_file(file_);
  if (!content || !*content) return {};
  boost::system::error_code problem;
  const json::value document = json::parse(text_of((*content)->view()), problem, wiping_memory());
  if (problem || !document.is_object()) return {};
  const json::object& object = document.get_object();
  RememberedJob job;
  if (const json::value* const secret = object.if_contains("session"); secret != nullptr && secret->is_string()) {
    job.session = SecretBytes(view_of(std::string_view(secret->get_string())));
  }
  if (const json::value* const number = object.if_contains("job"); number != nullptr && number->is_int64()) {
    job.job = number->get_int64();
  }
  if (const json::value* const token = object.if_contains("token"); token != nullptr && token->is_object()) {
    const json::object& about = token->get_object();
    job.token = LocalToken{.kind = text(about, "kind"),
                           .serial = text(about, "serial"),
                           .label = text(about, "label"),
                           .place = text(about, "place"),
                           .maker_number = text(about, "maker_number")};
    if (!from_hex(text(about, "number_object"), job.token->number_object)) job.token->number_object.clear();
  }
  return job;
}

Status JobMemory::save(const RememberedJob& job) const {
  json::object document({{"session", text_of(job.session.view())}, {"job", job.job}}, wiping_memory());
  if (job.token) {
    document["token"] = json::object{{"kind", job.token->kind},
                                     {"serial", job.token->serial},
                                     {"label", job.token->label},
                                     {"place", job.token->place},
                                     {"maker_number", job.token->maker_number},
                                     {"number_object", to_hex(job.token->number_object)}};
  }
  return write_private_file(file_, client::secret_text(document).view());
}

void JobMemory::forget() const {
  remove_private_file(file_);
}

}  // namespace cardea::agent
