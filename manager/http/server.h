// The HTTPS server: connections, TLS, limits and an orderly end. What requests mean is the Application's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace cardea::http {

/// Bounds that keep one client from taking what belongs to all.
struct Limits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t connections = 4096;                   ///< open at a time; more wait in the system's queue
  std::int64_t device_sessions = -1;                ///< connections that agents may hold; -1: any number (L14)
  std::int64_t body_bytes = 256LL * 1024 * 1024;    ///< of all large bodies that are arriving or being worked on
  std::int64_t answer_bytes = 256LL * 1024 * 1024;  ///< of all large answers that are being sent
  std::chrono::seconds handshake{10};               ///< for the TLS handshake
  std::chrono::seconds header{10};                  ///< from a request's first byte to the end of its header
  std::chrono::seconds body{60};                    ///< for a whole body
  std::chrono::seconds write{60};                   ///< for a whole answer
  std::chrono::seconds idle{75};                    ///< between two requests of a connection
  std::chrono::milliseconds linger{500};  ///< for what a client still sends after an answer that ends the connection

  bool operator==(const Limits&) const = default;
};

struct ServerSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8443;                ///< 0: any free one
  std::filesystem::path certificate_file;   ///< PEM: the server's certificate, then its chain
  std::filesystem::path key_file;           ///< PEM, without password
  std::vector<std::string> client_ca_pems;  ///< authorities whose certificates operators log on with, PEM texts
  bool plain = false;                       ///< also serve what needs no TLS (CRL, OCSP) in plain HTTP
  std::string plain_address = "127.0.0.1";
  std::uint16_t plain_port = 8080;  ///< 0: any free one
  unsigned threads = 0;             ///< 0: by the number of processors
  Limits limits;

  bool operator==(const ServerSettings&) const = default;
};

/// What is known of a request before its body arrives.
struct BodyRule {
  std::size_t limit = 0;             ///< most bytes of the body
  bool device = false;               ///< counts against Limits::device_sessions
  std::optional<HttpResponse> deny;  ///< answered at once, without the body
};

/// What requests mean. Called from many threads at a time.
class Application {
 public:
  Application() = default;
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  virtual ~Application() = default;

  /// Asked when the header has arrived.
  virtual BodyRule before_body(const HttpRequest& request) = 0;
  /// The answer to a whole request. Must not throw.
  virtual HttpResponse answer(HttpRequest& request) = 0;
  /// A request that never became one (malformed, too large, too slow), and failures of TLS; for the log.
  virtual void refused(const Peer& peer, std::string_view why) = 0;
};

/// A running server. Destroying it stops it without waiting for requests.
class Server {
 public:
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  virtual ~Server() = default;

  /// Opens the listeners and starts serving. arguments_bad when certificate, key or an address are no good,
  /// permission_denied or exists when an address cannot be used; the detail says which.
  static Result<std::unique_ptr<Server>> start(const ServerSettings& settings, Application& application);

  virtual std::uint16_t port() const = 0;
  virtual std::uint16_t plain_port() const = 0;  ///< 0 when there is no plain listener

  /// Trusts one more authority for operators' certificates (PEM); for CAs made while the server runs.
  virtual Status trust_client_ca(const std::string& pem) = 0;

  /// Takes certificate, key and client authorities anew, for connections that begin from now on; nothing else of the
  /// settings. Errors as of start, and everything stays as it was then.
  virtual Status reload(const ServerSettings& settings) = 0;

  /// Stops accepting, closes idle connections, lets requests that run finish for at most that long, then closes the
  /// rest. False when there was a rest.
  virtual bool stop(std::chrono::milliseconds drain) = 0;
};

}  // namespace cardea::http
