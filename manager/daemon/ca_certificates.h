// Certificates of the authorities that we run: records of them at their issuers, so that they are in CRLs and OCSP
// answers and can be revoked as any other; and their renewal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/connectors.h"
#include "domain/ports.h"
#include "domain/rights.h"
#include "embedded/settings.h"

namespace cardea::manager {

/// Inserts or updates an authority, audited, with all that follows from its certificate: where an authority of ours
/// issued it, it becomes a certificate record there, active, and the one before superseded; authorities below get it
/// into their chains. Fills the id of a new one. Errors of the store, key_changed among them.
Status store_authority(Transaction& store, const Actor& actor, CaRecord& changed, Time now);

/// The same for what earlier versions stored without: finds the issuers among our authorities by key and name. Answers
/// the names of those that are recorded now.
Result<std::vector<std::string>> record_ca_certificates(const Ports& ports);

/// Gives an authority below one of ours its next certificate, for the same key, and stores it. action_prohibited in
/// words for a root, for one below an authority that somebody else runs, when its certificate is revoked or suspended,
/// and when the new one would end no later; key_changed when somebody else was faster.
Result<CaRecord> renew_authority(const Ports& ports, const ca::ConnectorParts& parts, const Actor& actor,
                                 const CaRecord& record, std::optional<IsoDuration> validity);

}  // namespace cardea::manager
