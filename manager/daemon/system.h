// Everything of the manager put together on one set of settings: store, key token, authorities, and what handlers ask
// for.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "ca/connectors.h"
#include "daemon/authorities.h"
#include "daemon/settings.h"
#include "domain/clock.h"
#include "domain/key_token.h"
#include "domain/ports.h"
#include "domain/store_status.h"
#include "http/services.h"

namespace cardea::manager {

class System {
 public:
  /// Opens the store (not_initialized when it has to be migrated) and the key token. Errors in words.
  static Result<std::unique_ptr<System>> open(const DaemonSettings& settings, Log& log);
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  const Ports& ports() const { return ports_; }
  Authorities& authorities() { return authorities_; }
  ca::ConnectorParts connector_parts() { return {*keys_, status_, clock_}; }
  http::Services& services() { return services_; }
  /// Whether the store can be written and the key token works. Asked often, it answers with what was found within the
  /// last second; while somebody is finding out, with what was found before.
  Status ready();

 private:
  System(const DaemonSettings& settings, Log& log, std::unique_ptr<Store> store, std::unique_ptr<KeyToken> keys,
         std::unique_ptr<AttestationVerifier> attestation);

  Status probe();

  std::unique_ptr<Store> store_;
  std::unique_ptr<KeyToken> keys_;
  std::unique_ptr<AttestationVerifier> attestation_;
  std::mutex ready_mutex_;
  Status found_ = error(Code::not_initialized, "nobody has looked yet");
  std::chrono::steady_clock::time_point looked_at_{};
  bool looking_ = false;
  SystemClock clock_;
  StoreStatus status_;
  ca::Connectors connectors_;
  Ports ports_;
  Authorities authorities_;
  http::Services services_;
};

}  // namespace cardea::manager
