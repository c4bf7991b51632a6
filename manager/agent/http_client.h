// HTTPS as the agent speaks it: JSON posted to one daemon, whose certificate is checked against what the user was
// given.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace cardea::agent {

/// By what the daemon is known. Without either, by the authorities that this system trusts.
struct ServerTrust {
  std::string ca_file;      ///< PEM; empty: none
  std::string fingerprint;  ///< SHA-256 of the daemon's certificate, hexadecimal, colons allowed; empty: none
};

struct HttpAnswer {
  long status = 0;
  SecretBytes body;
};

class HttpClient {
 public:
  /// `server`: "https://host:port". arguments_bad for another scheme, a fingerprint that is none, a file that is not
  /// there.
  static Result<HttpClient> make(const std::string& server, const ServerTrust& trust);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) = delete;
  ~HttpClient();

  /// Posts JSON. `bearer` may be empty. timed_out when the daemon cannot be reached or does not answer in time;
  /// signature_invalid when it is not the one it should be; data_length for an answer above 8 MiB.
  Result<HttpAnswer> post(const std::string& path, std::string_view json, ByteView bearer);

 private:
  struct Connection;
  explicit HttpClient(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace cardea::agent
