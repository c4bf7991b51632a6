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

/// A token's statement of where a key was made.
struct AttestationClaim {
  std::string_view kind;         ///< of the token
  std::string_view serial;       ///< of the token
  ByteView spki;                 ///< the key that it must be about
  ByteView nonce;                ///< what the agent was told to have put into it, where the kind allows that
  const json::object& evidence;  ///< result of the step attest_key (docs/manager.md)
};

/// What a statement says that holds.
struct AttestationFinding {
  /// What is stored and shown. `device` names the hardware in one word, the same for all its keys; the rest depends on
  /// the kind: maker, model, serial number, PIN and touch policy as far as they are stated.
  json::object shown;
  /// What the token has to be asked before the finding counts; empty: nothing. `credential` (base64) goes to the agent,
  /// the rest is kept for check_answer and tells nobody the answer.
  json::object challenge;
};

/// Checks tokens' statements (B4). Thread-safe.
class AttestationVerifier {
 public:
  virtual ~AttestationVerifier() = default;
  /// Whether a maker of tokens of that kind is trusted.
  virtual bool trusts(std::string_view kind) const = 0;
  /// signature_invalid or data_invalid in words when the statement is not about this key and token, is an old one, or
  /// nobody trusted made it.
  virtual Result<AttestationFinding> verify(const AttestationClaim& claim) = 0;
  /// Whether the token answered the finding's challenge. signature_invalid or data_invalid in words.
  virtual Status check_answer(const AttestationClaim& claim, const json::object& challenge, ByteView answer) = 0;
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
