#include "agent/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/bytes.h"
#include "client/curl_library.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "x509/encoding.h"

namespace cardea::agent {
namespace {

using client::curl_library;

constexpr long connect_seconds = 15;
constexpr long answer_seconds = 60;  // the daemon itself answers within 10 (docs/manager.md)
constexpr std::size_t answer_limit = std::size_t{8} << 20;
constexpr std::size_t fingerprint_size = 32;

struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_library().slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

void append(HeaderList& list, const char* line) {
  curl_slist* const longer = curl_library().slist_append(list.get(), line);
  if (longer == nullptr) return;
  (void)list.release();
  list.reset(longer);
}

struct Cleanup {
  void operator()(CURL* handle) const noexcept { curl_library().easy_cleanup(handle); }
};

/// Grows by doubling, in memory that is wiped.
struct Body {
  SecretBytes room;
  std::size_t used = 0;
  bool too_long = false;

  bool take(ByteView part) {
    if (used + part.size() > answer_limit) {
      too_long = true;
      return false;
    }
    if (used + part.size() > room.size()) {
      constexpr std::size_t first = 16384;
      SecretBytes larger(std::max({first, 2 * room.size(), used + part.size()}));
      std::copy_n(room.data(), used, larger.data());
      room = std::move(larger);
    }
    std::copy(part.begin(), part.end(), room.data() + used);
    used += part.size();
    return true;
  }
};

std::size_t receive(char* data, std::size_t size, std::size_t count, void* body) {
  const std::size_t bytes = size * count;
  return static_cast<Body*>(body)->take({reinterpret_cast<const Byte*>(data), bytes}) ? bytes : 0;
}

Result<Bytes> read_fingerprint(std::string text) {
  std::erase(text, ':');
  Bytes fingerprint;
  if (from_hex(text, fingerprint) && fingerprint.size() == fingerprint_size) return fingerprint;
  return error(Code::arguments_bad,
               "the fingerprint is no SHA-256 digest: 64 hexadecimal digits, with or without colons");
}

}  // namespace

struct HttpClient::Connection {
  ~Connection() {
    if (curl != nullptr) curl_library().easy_cleanup(curl);
  }

  CURL* curl = nullptr;
  std::string server;
  std::string ca_file;
  Bytes fingerprint;
  std::array<char, CURL_ERROR_SIZE> problem{};
  std::string pinned_ca;  ///< PEM of the one certificate that the fingerprint names, once it was seen

  Error failure(CURLcode code) const {
    const std::string_view words =
        problem[0] != 0 ? std::string_view(problem.data()) : curl_library().easy_strerror(code);
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR) {
      return error(
          Code::signature_invalid,
          fmt::format("{} is not the daemon it should be, or its CA is not the one that was named: {}", server, words));
    }
    return error(Code::timed_out, fmt::format("{} cannot be reached: {}", server, words));
  }

  Status learn_pinned_certificate();
  Status set_trust();
};

// The certificate is looked at before anything is said, by the handshake of a connection of its own. What follows
// trusts that certificate alone.
Status HttpClient::Connection::learn_pinned_certificate() {
  const std::unique_ptr<CURL, Cleanup> looking(curl_library().easy_init());
  CURL* const curl = looking.get();
  if (curl == nullptr) return Code::host_memory;
  problem[0] = 0;
  curl_library().easy_setopt(curl, CURLOPT_ERRORBUFFER, problem.data());
  curl_library().easy_setopt(curl, CURLOPT_URL, server.c_str());
  curl_library().easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
  curl_library().easy_setopt(curl, CURLOPT_CERTINFO, 1L);
  curl_library().easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_library().easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_library().easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_library().easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  if (const CURLcode code = curl_library().easy_perform(curl); code != CURLE_OK) return failure(code);
  curl_certinfo* chain = nullptr;
  if (curl_library().easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr ||
      chain->num_of_certs < 1) {
    return error(Code::signature_invalid, fmt::format("{} shows no certificate", server));
  }
  for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
    std::string_view text = line->data;
    constexpr std::string_view prefix = "Cert:";
    if (!text.starts_with(prefix)) continue;
    text.remove_prefix(prefix.size());
    CARDEA_ASSIGN(const Bytes der, x509::from_pem_or_der("CERTIFICATE", view_of(text)));
    CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, der));
    if (digest != fingerprint) break;
    pinned_ca = text;
    return {};
  }
  return error(Code::signature_invalid, fmt::format("{} has another certificate than the fingerprint's", server));
}

Status HttpClient::Connection::set_trust() {
  if (!fingerprint.empty() && pinned_ca.empty()) CARDEA_TRY(learn_pinned_certificate());
  curl_library().easy_reset(curl);
  if (!pinned_ca.empty()) {
    curl_blob blob{pinned_ca.data(), pinned_ca.size(), CURL_BLOB_COPY};
    curl_library().easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
    curl_library().easy_setopt(curl, CURLOPT_CAPATH, static_cast<char*>(nullptr));
    // The one certificate is trusted, whatever names stand in it.
    curl_library().easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  } else if (!ca_file.empty()) {
    curl_library().easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
    curl_library().easy_setopt(curl, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  return {};
}

HttpClient::HttpClient(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpClient> HttpClient::make(const std::string& server, const ServerTrust& trust) {
  if (!client::curl_library().there) {
    return error(Code::not_found, "the library libcurl.so.4 is missing; install libcurl4");
  }
  auto connection = std::make_unique<Connection>();
  if (!server.starts_with("https://")) {
    return error(Code::arguments_bad, "the daemon's address begins with https://");
  }
  connection->server = server;
  while (connection->server.ends_with('/')) connection->server.pop_back();
  if (!trust.fingerprint.empty()) {
    CARDEA_ASSIGN(connection->fingerprint, read_fingerprint(trust.fingerprint));
  }
  std::error_code ignored;
  if (!trust.ca_file.empty() && !std::filesystem::exists(trust.ca_file, ignored)) {
    return error(Code::arguments_bad, fmt::format("there is no file {}", trust.ca_file));
  }
  connection->ca_file = trust.ca_file;
  connection->curl = curl_library().easy_init();
  if (connection->curl == nullptr) return Code::host_memory;
  return HttpClient(std::move(connection));
}

Result<HttpAnswer> HttpClient::post(const std::string& path, std::string_view json, ByteView bearer) {
  Connection& to = *connection_;
  CARDEA_TRY(to.set_trust());
  HeaderList headers;
  append(headers, "Content-Type: application/json");
  append(headers, "Accept: application/json, application/problem+json");
  // Without this header curl waits a second for a word of the server before it sends a longer body.
  append(headers, "Expect:");
  Body body;
  const std::string url = to.server + path;
  to.problem[0] = 0;
  curl_library().easy_setopt(to.curl, CURLOPT_ERRORBUFFER, to.problem.data());
  curl_library().easy_setopt(to.curl, CURLOPT_URL, url.c_str());
  curl_library().easy_setopt(to.curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_library().easy_setopt(to.curl, CURLOPT_HTTPHEADER, headers.get());
  curl_library().easy_setopt(to.curl, CURLOPT_POSTFIELDS, json.data());
  curl_library().easy_setopt(to.curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
  curl_library().easy_setopt(to.curl, CURLOPT_WRITEFUNCTION, receive);
  curl_library().easy_setopt(to.curl, CURLOPT_WRITEDATA, &body);
  curl_library().easy_setopt(to.curl, CURLOPT_NOSIGNAL, 1L);
  curl_library().easy_setopt(to.curl, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_library().easy_setopt(to.curl, CURLOPT_TIMEOUT, answer_seconds);
  curl_library().easy_setopt(to.curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!bearer.empty()) {
    curl_library().easy_setopt(to.curl, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    curl_library().easy_setopt(to.curl, CURLOPT_XOAUTH2_BEARER, std::string(text_of(bearer)).c_str());
  }
  const CURLcode code = curl_library().easy_perform(to.curl);
  if (body.too_long) return error(Code::data_length, "the daemon's answer is too long");
  if (code != CURLE_OK) return to.failure(code);
  HttpAnswer answer;
  curl_library().easy_getinfo(to.curl, CURLINFO_RESPONSE_CODE, &answer.status);
  body.room.truncate(body.used);
  answer.body = std::move(body.room);
  return answer;
}

}  // namespace cardea::agent
