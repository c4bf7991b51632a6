// Makers of tokens that the settings trust.
#pragma once

#include "attest/verifier.h"
#include "daemon/settings.h"

namespace cardea::manager {

/// Reads the files of [attestation]. not_found, data_invalid with the file's name.
Result<AttestationRoots> read_attestation_roots(const DaemonSettings& settings);

}  // namespace cardea::manager
