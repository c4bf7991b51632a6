// Seals the software keystore's tokens to this machine's TPM.
#pragma once

#include "base/config.h"
#include "token/sealer.h"

namespace cardea {

/// Secrets under the storage key that follows from the token's serial number, in the TPM of the settings, whether or
/// not virtual cards are switched on. Connects when it is asked for something and lets go of the TPM afterwards.
SealerPtr make_tpm_sealer(const TpmSettings& settings);

}  // namespace cardea
