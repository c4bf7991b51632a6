// TLS of the server, on OpenSSL by way of Asio. Only tls.cc and connection.cc see what is in here.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace cardea::http {

/// The server's side of TLS 1.2 and 1.3: its certificate, and the authorities of its clients.
class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> make(const std::filesystem::path& certificate_file,
                                                  const std::filesystem::path& key_file,
                                                  const std::vector<std::string>& client_ca_pems);

  boost::asio::ssl::context& context() { return context_; }
  /// Adds an authority; thread-safe.
  Status trust(const std::string& pem);
  /// The certificate that the client of a finished handshake showed, judged now; nothing when it showed none.
  std::optional<PeerCertificate> peer(SSL* connection);

 private:
  TlsContext();
  boost::asio::ssl::context context_;
  std::unique_ptr<X509_STORE, void (*)(X509_STORE*)> trusted_;
};

}  // namespace cardea::http
