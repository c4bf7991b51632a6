#include "agent/job_memory.h"

#include <boost/json.hpp>

#include <algorithm>

#include "agent/private_file.h"
#include "crypto/digest.h"

namespace cardea::agent {
namespace {

namespace json = boost::json;

std::string text(const json::object& object, const char* member) {
  const json::value* const value = object.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

JobMemory::JobMemory(const std::filesystem::path& directory, std::string_view server, std::string_view code) {
  std::string name = std::string(server) + "\n";
  std::copy_if(code.begin(), code.end(), std::back_inserter(name), [](char c) { return c != ' '; });
  const Result<Bytes> digest = crypto::digest(Hash::sha256, view_of(name));
  file_ = directory / ("job-" + (digest ? to_hex(*digest) : std::string()));
}

std::optional<RememberedJob> JobMemory::load() const {
  const Result<std::optional<SecretBytes>> content = read_private_file(file_);
  if (!content || !*content) return {};
  boost::system::error_code problem;
  const json::value document = json::parse(text_of((*content)->view()), problem);
  if (problem || !document.is_object()) return {};
  const json::object& object = document.get_object();
  RememberedJob job{SecretBytes(view_of(text(object, "session"))), {}};
  if (const json::value* const token = object.if_contains("token"); token != nullptr && token->is_object()) {
    const json::object& about = token->get_object();
    job.token = LocalToken{text(about, "kind"), text(about, "serial"), text(about, "label"), text(about, "place")};
  }
  return job;
}

Status JobMemory::save(const RememberedJob& job) const {
  json::object document{{"session", text_of(job.session.view())}};
  if (job.token) {
    document["token"] = json::object{{"kind", job.token->kind},
                                     {"serial", job.token->serial},
                                     {"label", job.token->label},
                                     {"place", job.token->place}};
  }
  return write_private_file(file_, view_of(json::serialize(document)));
}

void JobMemory::forget() const {
  remove_private_file(file_);
}

}  // namespace cardea::agent
