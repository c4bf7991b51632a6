// What handlers can ask for. The daemon puts it together; tests put in what they need.
#pragma once

#include <atomic>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "domain/iso_duration.h"
#include "domain/journal.h"
#include "domain/local_ca.h"
#include "domain/ports.h"
#include "domain/rights.h"
#include "http/attempt_limit.h"
#include "log/log.h"

namespace cardea::http {

/// An authority that the manager runs itself.
struct OwnCa {
  manager::Id id = 0;
  std::shared_ptr<manager::LocalCa> ca;
};

/// What is to be different about an authority.
struct CaChange {
  std::optional<bool> enabled;
  std::optional<std::string> retry_schedule;
  boost::json::object settings;  ///< those to be replaced
};

/// The authorities, beyond what services of the domain do with them. Thread-safe.
class Cas {
 public:
  virtual ~Cas() = default;
  /// not_found when there is no authority of that name, or it is run elsewhere.
  virtual Result<OwnCa> local(std::string_view name) = 0;
  /// The certificate (DER) of one of ours, which is there also when its key cannot be reached. not_found as above, and
  /// when it waits for its certificate.
  virtual Result<Bytes> certificate(std::string_view name) = 0;
  /// Makes (a key and a certificate, for our own) or registers an authority, and stores it. exists for a name that is
  /// taken; arguments_bad for settings that its connector does not understand, in words.
  virtual Result<manager::CaRecord> create(const manager::Actor& actor, const manager::CaRecord& wanted) = 0;
  /// Changes and stores `ca`. arguments_bad in words; nothing is changed then.
  virtual Result<manager::CaRecord> change(const manager::Actor& actor, manager::CaRecord ca,
                                           const CaChange& wanted) = 0;
  /// Gives an authority of ours whose key waits for it the certificate from elsewhere: PEM, its own first, what is
  /// above it after that, the root last. arguments_bad in words.
  virtual Result<manager::CaRecord> install(const manager::Actor& actor, manager::CaRecord ca, ByteView pem) = 0;
  /// Gives an authority below one of ours its next certificate for the same key, as long as the present one unless
  /// `validity` says otherwise. action_prohibited in words where that cannot be.
  virtual Result<manager::CaRecord> renew(const manager::Actor& actor, const manager::CaRecord& ca,
                                          std::optional<manager::IsoDuration> validity) = 0;
};

/// References outlive the server.
struct Services {
  manager::Ports ports;
  manager::Log& log;
  Cas& cas;
  /// Whether the daemon can do its work: store, key token, CAs; the error says what is missing.
  std::function<Status()> ready;
  /// Wrong one-time codes, those for requests that do not exist among them.
  AttemptLimit wrong_codes{};
  /// Proofs and tickets of agents that were refused.
  AttemptLimit refused_contacts{};
  /// How long an agent's session lasts of which nothing is heard.
  std::chrono::seconds session_lasts = manager::session_lasts;
  /// Seconds that the clock is behind a time that was seen already, as housekeeping last found it.
  std::atomic<std::int64_t> clock_behind = 0;
  /// Authorities of ours that do not work, by name, as housekeeping last found them.
  Guarded<std::vector<std::string>> failing_authorities{};
};

}  // namespace cardea::http
