// A client of the manager's interface: JSON over HTTPS. The HTTP library is loaded when there is something to say, so
// that programs which do not talk to a manager pay nothing for it.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace cardea::client {

/// How the manager is reached, and as whom.
struct ClientSettings {
  std::string url;          ///< "https://manager.example:8443"
  std::string ca_file;      ///< PEM of the authority of the server's certificate; empty: the system's authorities
  std::string certificate;  ///< PEM file, or a PKCS#11 URI (RFC 7512); empty: none
  std::string key;          ///< the same, of the key; empty: it is in the certificate's file
  SecretBytes bearer;       ///< access token or session secret; empty: none
  std::chrono::seconds timeout{60};
};

/// An answer that arrived, whatever it says.
struct Answer {
  unsigned status = 0;
  std::string content_type;
  std::string body;
  std::string etag;
  std::string next;  ///< header Cardea-Next

  bool good() const { return status >= 200 && status < 300; }
  /// The body as JSON; data_invalid.
  Result<boost::json::value> json() const;
};

/// One connection, kept between calls. One thread at a time.
class ApiClient {
 public:
  /// not_found when the HTTP library is missing, arguments_bad when the URL does not begin with https://.
  static Result<std::unique_ptr<ApiClient>> open(ClientSettings settings);
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;

  /// `path` begins with a slash. timed_out when the manager cannot be reached or does not answer in time,
  /// signature_invalid when its certificate is not to be trusted; a problem that it answers with is no error here.
  Result<Answer> call(std::string_view method, const std::string& path, std::string_view body = {},
                      const std::vector<std::string>& headers = {});
  /// Replaces the bearer token.
  void set_bearer(SecretBytes bearer);

 private:
  struct State;
  explicit ApiClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What a problem says (RFC 9457), as an error: its kind by type and status, its detail as sentences. `type` is the
/// last part of the problem's type, "code-wrong".
struct ProblemText {
  std::string type;
  std::string sentence;
};
ProblemText read_problem(const Answer& answer);
Error to_error(const Answer& answer);

/// Percent-encodes what stands in a path segment or query value (RFC 3986, 2.1).
std::string encode(std::string_view text);

}  // namespace cardea::client
