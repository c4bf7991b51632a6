// What services stand on: the store, the manager's keys, the authorities and the time. Made once by the daemon.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "domain/ca_connector.h"
#include "domain/clock.h"
#include "domain/key_token.h"
#include "domain/store.h"

namespace cardea::manager {

/// Finds the connector of a configured authority. Thread-safe.
class CaConnectors {
 public:
  virtual ~CaConnectors() = default;
  /// Never null. not_found when there is no such kind of connector; errors of opening it.
  virtual Result<std::shared_ptr<CaConnector>> connector(const CaRecord& ca) = 0;
};

/// Checks a token's statement of where a key was made (B4). Thread-safe.
class AttestationVerifier {
 public:
  virtual ~AttestationVerifier() = default;
  /// `chain` are the certificates that the token gave, the key's own first. Answers what is shown: maker, model, serial
  /// number, PIN and touch policy as far as they are stated. signature_invalid or data_invalid in words when the
  /// statement is not about this key, or nobody trusted made it.
  virtual Result<json::object> verify(std::string_view kind, ByteView spki, const std::vector<Bytes>& chain,
                                      Time now) = 0;
};

/// References only: whoever made them keeps them alive. May be copied and used from any thread.
struct Ports {
  Store& store;
  KeyToken& keys;
  CaConnectors& authorities;
  Clock& clock;
  AttestationVerifier* attestation = nullptr;  ///< null: no maker of tokens is trusted
  std::string daemon = "manager";              ///< this daemon's name among several on one store
};

/// Names of the manager's own keys in its key token (KeyToken), made by ensure_manager_keys.
namespace manager_key {
inline constexpr std::string_view token_secrets = "token-secrets";    ///< SecretKeyUse::derive
inline constexpr std::string_view one_time_codes = "one-time-codes";  ///< SecretKeyUse::derive
inline constexpr std::string_view archive = "archive";                ///< SecretKeyUse::wrap
inline constexpr std::string_view audit = "audit";                    ///< a signing key, P-256
}  // namespace manager_key

/// Makes the keys that are not there yet. Errors of the key token.
Status ensure_manager_keys(KeyToken& keys);

}  // namespace cardea::manager
