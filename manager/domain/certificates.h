// Certificates outside of jobs: issued for requests made elsewhere, searched, revoked in bulk, swept when they expire.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/ca_connector.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// A request made elsewhere.
struct CsrIssuance {
  std::string policy;        ///< name of the certificate policy
  Bytes csr;                 ///< DER
  std::optional<Id> person;  ///< whose attributes are mapped by the policy; none: as the CSR says, or as given here
  std::optional<std::string> subject;
  std::optional<std::vector<AlternativeName>> alternative_names;
  std::optional<std::chrono::seconds> validity;
  bool key_made_here = false;  ///< whoever asked has the key only once it was handed over (identity_issuance.h)
};
/// Intent, CA, record. The row is `active` afterwards, or `pending`; with `key_made_here` it is `issued` and keeps its
/// wish, so that housekeeping revokes it unless it is handed over. Needs certificate_issue. data_invalid for a CSR
/// that is none, action_prohibited with the CA's reason when it refuses; timed_out and the like when nothing is known:
/// housekeeping then finds out (open_issuances.h).
Result<Certificate> issue_for_csr(const Ports& ports, const Actor& actor, const CsrIssuance& wanted);

/// What is to be done to certificates.
struct RevocationOrder {
  std::vector<Id> certificates;  ///< empty: those of person or token
  std::optional<Id> person;
  std::optional<Id> token;
  enum class Action { revoke, suspend, unsuspend } action = Action::revoke;
  std::string reason;  ///< of revoke: keyCompromise, …
  std::optional<Time> invalid_since;
};
/// What became of each.
struct RevocationLine {
  Id certificate = 0;
  bool done = false;    ///< also when it was so before
  std::string problem;  ///< a sentence when not
};
Result<std::vector<RevocationLine>> revoke_certificates(const Ports& ports, const Actor& actor,
                                                        const RevocationOrder& order);

/// Certificates whose time is over become `expired`; answers how many.
Result<std::size_t> sweep_expired(const Ports& ports, std::size_t limit);

/// What is read from a certificate (RFC 5280, 4.1). data_invalid.
struct CertificateFacts {
  std::string serial;   ///< lower-case hexadecimal without leading zeros
  std::string subject;  ///< RFC 4514
  std::string issuer;
  Bytes spki;
  Time not_before;
  Time not_after;
};
Result<CertificateFacts> certificate_facts(ByteView der);

}  // namespace cardea::manager
