// A request and its answer as handlers see them: no socket, no TLS, nothing of the server library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace cardea::http {

/// Methods that routes use; `other` is every further one.
enum class Method : std::uint8_t { get, head, post, put, patch, del, other };

/// As it stands in a request line ("DELETE" for `del`).
std::string_view name(Method method);

/// The certificate with which a client took part in the TLS handshake: it holds the private key. Whether anybody
/// vouches for it is another question.
struct PeerCertificate {
  std::string sha256;   ///< of the DER encoding, 64 lower-case hexadecimal digits
  std::string subject;  ///< RFC 4514, for logs and messages
  /// Empty when it leads to a trusted authority and is valid now; otherwise the reason, as a clause.
  std::string mistrust;
};

/// Where a request came from.
struct Peer {
  std::string address;  ///< IP address without port
  bool tls = false;
  std::optional<PeerCertificate> certificate;
};

struct HttpRequest {
  Method method = Method::get;
  std::string path;                   ///< as sent, without the query
  std::vector<std::string> segments;  ///< of the path, percent-decoded (RFC 3986, 2.1)
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Peer peer;

  /// The first header of that name (compared without case), or nothing.
  std::optional<std::string_view> header(std::string_view name) const;
  /// The first query parameter of that name, or nothing.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Splits a request target in origin form (RFC 9112, 3.2.1) into `path`, `segments` and `query`. arguments_bad for
/// another form, a broken percent-encoding, an encoded NUL, or text that is not UTF-8.
Status parse_target(std::string_view target, HttpRequest& request);

/// Whether the bytes are well-formed UTF-8 (RFC 3629) without NUL.
bool is_plain_utf8(std::string_view text);

}  // namespace cardea::http
