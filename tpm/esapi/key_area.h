// The public area that every private key of ours has. Internal to this folder.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "esapi/tpm_connection.h"

namespace cardea::tpm {

/// For a key that is made in the TPM; curve_not_supported.
Result<TPM2B_PUBLIC> key_area(const KeyTemplate& wanted);

}  // namespace cardea::tpm
