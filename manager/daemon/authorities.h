// The certification authorities as the interface sees them: our own found by name, new ones made.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "ca/connectors.h"
#include "domain/ports.h"
#include "embedded/settings.h"
#include "http/services.h"

namespace cardea::manager {

class Authorities final : public http::Cas {
 public:
  /// `public_url` is where relying parties reach the plain listener; `made` is told the certificate (PEM) of each new
  /// authority of ours. `parts` and `ports` must live longer.
  Authorities(const Ports& ports, ca::ConnectorParts parts, std::string public_url)
      : ports_(ports), parts_(parts), public_url_(std::move(public_url)) {}

  Result<http::OwnCa> local(std::string_view name) override;
  Result<Bytes> certificate(std::string_view name) override;
  Result<CaRecord> create(const Actor& actor, const CaRecord& wanted) override;
  Result<CaRecord> change(const Actor& actor, CaRecord ca, const http::CaChange& wanted) override;
  Result<CaRecord> install(const Actor& actor, CaRecord ca, ByteView pem) override;
  Result<CaRecord> renew(const Actor& actor, const CaRecord& ca, std::optional<IsoDuration> validity) override;

  /// An authority of ours, or why it cannot be opened: its key is not in the key token, say.
  struct Local {
    std::string name;
    Result<http::OwnCa> own;
  };
  /// Every authority of ours that has a certificate, those that cannot be opened among them.
  Result<std::vector<Local>> all_local();
  /// The certificates (DER) of the same, which are there whether keys can be reached or not.
  Result<std::vector<Bytes>> local_certificates();
  /// Called with the certificate, PEM, of each authority of ours that is made from now on, and of those that announce()
  /// finds. Set before other threads begin.
  void on_made(std::function<void(const std::string& pem)> told) { told_ = std::move(told); }
  /// Tells of an authority that another daemon on the same store may have made. Repeating it is harmless.
  Status announce(const http::OwnCa& own);

 private:
  Result<ca::EmbeddedSettings> make_embedded(const CaRecord& wanted);
  Status save(const Actor& actor, CaRecord& changed);
  // Destroys the keys of an authority that could not be stored.
  void discard_keys(std::string_view name, const ca::EmbeddedSettings& unused);
  // What is known of it from before is forgotten, and its certificate told.
  Status publish(const CaRecord& changed);
  Result<http::OwnCa> open(const CaRecord& record);
  Result<std::vector<CaRecord>> records();

  const Ports& ports_;
  ca::ConnectorParts parts_;
  const std::string public_url_;
  std::function<void(const std::string&)> told_;

  struct Known {
    http::OwnCa ca;
    std::chrono::steady_clock::time_point until;
  };
  std::mutex mutex_;
  std::map<std::string, Known, std::less<>> known_;
};

}  // namespace cardea::manager
