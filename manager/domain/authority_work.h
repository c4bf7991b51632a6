// Work with authorities that jobs and single orders share: intent first, then the authority, then the record.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "domain/ca_connector.h"
#include "domain/certificates.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// What became of a wish for a certificate.
struct Settlement {
  enum class State {
    issued,
    pending,  ///< the authority decides later, or nothing is known yet: ask again
    refused   ///< for good; also when it answered with a certificate that was not asked for
  } state = State::pending;
  std::string text;      ///< pending, refused: why, in words
  bool answered = true;  ///< pending: whether the authority said so, or nothing
  std::optional<std::chrono::seconds> retry_after;
  std::vector<Bytes> chain;
};

/// Stores the intent to have a certificate issued: a row `requested`, with the policy's CA and the hash of the
/// request's public key. Only after this transaction is committed may settle() be called.
Result<Id> record_intent(Transaction& store, const Actor& actor, Certificate intent, Time now);

/// A certificate and its authority, as they stand in the store; without authority when it was made elsewhere.
struct CertificateAndCa {
  Certificate certificate;
  CaRecord ca;
};

/// What else happens in the transaction that stores an authority's answer. It may change the row, which is written
/// once, after it.
using AlsoAtSettlement = std::function<Status(Transaction&, Certificate&, const Settlement&)>;

/// Asks the authority for the certificate of a stored intent, or what became of it, and stores the answer, `also`
/// included. Errors are those of the store; what the authority fails with is `pending`.
Result<Settlement> settle(const Ports& ports, const Actor& actor, Id certificate, const IssuanceRequest& wanted,
                          const AlsoAtSettlement& also);

/// The same for an intent that was stored a moment ago, without reading it again.
Result<Settlement> settle(const Ports& ports, const Actor& actor, const CertificateAndCa& known,
                          const IssuanceRequest& wanted, const AlsoAtSettlement& also);

/// Outside of a job no token has to be waited for: what the authority issued is live. Changes the row and nothing else.
Status make_live(Certificate& row, const Settlement& settled, Time now);

/// The identifier under which an authority knows an intent: asking twice under it yields one certificate.
std::string issuance_id(Id certificate);

/// Revokes, suspends or unsuspends one certificate at its authority and records it. Empty when done, or so already; a
/// sentence when the authority cannot. timed_out, device_error and the like when it does not answer.
Result<std::string> apply_at_authority(const Ports& ports, const Actor& actor, Id certificate,
                                       RevocationOrder::Action action, RevocationReason reason,
                                       std::optional<Time> invalid_since);

/// The reason of RFC 5280 for an everyday word (lost, damaged, forgotten, left) or its own name; unspecified for "".
RevocationReason reason_for(std::string_view word);

}  // namespace cardea::manager
