#include "client/api_client.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "client/curl_library.h"

namespace cardea::client {
namespace {

namespace json = boost::json;

constexpr std::size_t largest_answer = 64 * 1024 * 1024;

struct Received {
  Answer answer;
  bool too_large = false;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* place) {
  auto& received = *static_cast<Received*>(place);
  if (received.answer.body.size() + size > largest_answer) {
    received.too_large = true;
    return 0;
  }
  received.answer.body.append(data, size);
  return size;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

bool header_is(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char letter = line[i] >= 'A' && line[i] <= 'Z' ? static_cast<char>(line[i] + 32) : line[i];
    if (letter != name[i]) return false;
  }
  return true;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* place) {
  auto& answer = static_cast<Received*>(place)->answer;
  const std::string_view line(data, size);
  if (header_is(line, "etag")) answer.etag = trimmed(line.substr(5));
  if (header_is(line, "cardea-next")) answer.next = trimmed(line.substr(12));
  if (header_is(line, "content-type")) answer.content_type = trimmed(line.substr(13));
  return size;
}

bool is_uri(std::string_view text) {
  return text.starts_with("pkcs11:");
}

Code code_of(CURLcode failed) {
  switch (failed) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return Code::signature_invalid;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
      return Code::arguments_bad;
    default:
      return Code::timed_out;
  }
}

}  // namespace

struct ApiClient::State {
  explicit State(ClientSettings the_settings) : settings(std::move(the_settings)) {}
  ~State() {
    if (handle != nullptr) curl_library().easy_cleanup(handle);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ClientSettings settings;
  CURL* handle = nullptr;
};

namespace {

void set_identity(const ClientSettings& settings, CURL* handle) {
  const CurlLibrary& curl = curl_library();
  if (!settings.ca_file.empty()) curl.easy_setopt(handle, CURLOPT_CAINFO, settings.ca_file.c_str());
  if (settings.certificate.empty()) return;
  const std::string& key = settings.key.empty() ? settings.certificate : settings.key;
  const bool by_engine = !curl.takes_providers && (is_uri(key) || is_uri(settings.certificate));
  const char* const from_token = curl.takes_providers ? "PROV" : "ENG";
  if (by_engine) curl.easy_setopt(handle, CURLOPT_SSLENGINE, "pkcs11");
  if (is_uri(settings.certificate)) curl.easy_setopt(handle, CURLOPT_SSLCERTTYPE, from_token);
  if (is_uri(key)) curl.easy_setopt(handle, CURLOPT_SSLKEYTYPE, from_token);
  curl.easy_setopt(handle, CURLOPT_SSLCERT, settings.certificate.c_str());
  curl.easy_setopt(handle, CURLOPT_SSLKEY, key.c_str());
}

void set_request(const ClientSettings& settings, CURL* handle, std::string_view method, std::string_view body) {
  const CurlLibrary& curl = curl_library();
  curl.easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl.easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
  curl.easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl.easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, 15L);
  curl.easy_setopt(handle, CURLOPT_TIMEOUT, static_cast<long>(settings.timeout.count()));
  curl.easy_setopt(handle, CURLOPT_CUSTOMREQUEST, std::string(method).c_str());
  if (method != "GET" && method != "DELETE") {
    curl.easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl.easy_setopt(handle, CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
  }
}

}  // namespace

ApiClient::ApiClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
ApiClient::~ApiClient() = default;

Result<std::unique_ptr<ApiClient>> ApiClient::open(ClientSettings settings) {
  if (!settings.url.starts_with("https://"))
    return error(Code::arguments_bad, fmt::format("'{}' does not begin with https://", settings.url));
  while (settings.url.ends_with('/')) settings.url.pop_back();
  if (!curl_library().there) return error(Code::not_found, "the library libcurl.so.4 is missing; install libcurl4");
  auto state = std::make_unique<State>(std::move(settings));
  state->handle = curl_library().easy_init();
  if (state->handle == nullptr) return Code::host_memory;
  return std::unique_ptr<ApiClient>(new ApiClient(std::move(state)));
}

void ApiClient::set_bearer(SecretBytes bearer) {
  state_->settings.bearer = std::move(bearer);
}

Result<Answer> ApiClient::call(std::string_view method, const std::string& path, std::string_view body,
                               const std::vector<std::string>& headers) {
  const CurlLibrary& curl = curl_library();
  CURL* const handle = state_->handle;
  const ClientSettings& settings = state_->settings;
  curl.easy_reset(handle);
  set_identity(settings, handle);
  set_request(settings, handle, method, body);
  curl_slist* list = nullptr;
  for (const std::string& header : headers) list = curl.slist_append(list, header.c_str());
  list = curl.slist_append(list, "Accept: application/json, application/problem+json, */*");
  if (!body.empty()) list = curl.slist_append(list, "Content-Type: application/json");
  // A body is sent at once: the daemon's limits are above what a client of ours sends.
  list = curl.slist_append(list, "Expect:");
  SecretBytes authorization;
  if (!settings.bearer.empty()) {
    constexpr std::string_view start = "Authorization: Bearer ";
    authorization = SecretBytes(start.size() + settings.bearer.size() + 1);
    std::copy(start.begin(), start.end(), authorization.data());
    std::copy_n(settings.bearer.data(), settings.bearer.size(), authorization.data() + start.size());
    list = curl.slist_append(list, reinterpret_cast<const char*>(authorization.data()));
  }
  Received received;
  const std::string url = settings.url + path;
  char reason[CURL_ERROR_SIZE] = "";
  curl.easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl.easy_setopt(handle, CURLOPT_HTTPHEADER, list);
  curl.easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
  curl.easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
  curl.easy_setopt(handle, CURLOPT_WRITEDATA, &received);
  curl.easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
  curl.easy_setopt(handle, CURLOPT_HEADERDATA, &received);
  const CURLcode failed = curl.easy_perform(handle);
  curl.slist_free_all(list);
  curl.easy_setopt(handle, CURLOPT_ERRORBUFFER, nullptr);
  if (received.too_large) return error(Code::data_length, "the manager's answer is too large");
  if (failed != CURLE_OK)
    return error(code_of(failed), fmt::format("the manager at {} cannot be asked: {}", settings.url,
                                              reason[0] != '\0' ? reason : curl.easy_strerror(failed)));
  long status = 0;
  curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  received.answer.status = static_cast<unsigned>(status);
  return std::move(received.answer);
}

Result<json::value> Answer::json() const {
  json::error_code failed;
  json::value value = json::parse(body, failed);
  if (failed) return error(Code::data_invalid, "the manager's answer is not JSON");
  return value;
}

ProblemText read_problem(const Answer& answer) {
  ProblemText text;
  json::error_code failed;
  const json::value value = json::parse(answer.body, failed);
  const json::object* problem = failed ? nullptr : value.if_object();
  if (problem == nullptr) {
    text.sentence = fmt::format("The manager answered with HTTP status {}.", answer.status);
    return text;
  }
  const auto member = [](const json::object& object, std::string_view name) {
    const json::value* found = object.if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  const std::string type = member(*problem, "type");
  text.type = type.substr(type.rfind(':') + 1);
  text.sentence = member(*problem, "title");
  if (!text.sentence.empty() && !text.sentence.ends_with('.')) text.sentence += ".";
  if (const auto detail = member(*problem, "detail"); !detail.empty()) text.sentence += " " + detail;
  if (const json::value* errors = problem->if_contains("errors"); errors != nullptr && errors->is_array()) {
    for (const json::value& one : errors->get_array()) {
      if (const json::object* object = one.if_object())
        text.sentence += fmt::format(" {}: {}", member(*object, "pointer"), member(*object, "detail"));
    }
  }
  return text;
}

Error to_error(const Answer& answer) {
  const ProblemText text = read_problem(answer);
  Code code = Code::function_failed;
  if (text.type == "code-wrong") code = Code::pin_incorrect;
  if (text.type == "code-locked") code = Code::pin_locked;
  if (text.type == "code-used") code = Code::session_exists;
  if (text.type == "code-expired") code = Code::pin_expired;
  if (code == Code::function_failed) {
    switch (answer.status) {
      case 400:
        code = Code::arguments_bad;
        break;
      case 401:
        code = Code::user_not_logged_in;
        break;
      case 403:
        code = Code::permission_denied;
        break;
      case 404:
        code = Code::not_found;
        break;
      case 409:
        code = text.type == "already-exists" ? Code::exists : Code::action_prohibited;
        break;
      case 412:
        code = Code::key_changed;
        break;
      case 422:
        code = Code::data_invalid;
        break;
      case 501:
        code = Code::function_not_supported;
        break;
      case 503:
        code = Code::timed_out;
        break;
      default:
        break;
    }
  }
  return error(code, text.sentence);
}

std::string encode(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' || letter == '_' ||
                       letter == '~';
    if (plain) {
      out += letter;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
  }
  return out;
}

}  // namespace cardea::client
