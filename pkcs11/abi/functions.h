// The entry points in our own terms: the same names and parameters as in the standard, answering a Status. What stands
// between them and the C interface (not initialised, exceptions, trace, return values) is in guard.h.
#pragma once

#include "base/result.h"
#include "cryptoki/cryptoki.h"
#include "cryptoki/keystore_interface.h"
#include "cryptoki/seal_interface.h"
#include "cryptoki/tpm_interface.h"

namespace cardea::abi {

#define CARDEA_FUNCTION(since, name, parameters, arguments) Status name parameters;
#include "cryptoki/functions.def"
#undef CARDEA_FUNCTION

/// The functions behind CARDEA_KEYSTORE_INTERFACE, CARDEA_SEAL_INTERFACE and CARDEA_TPM_INTERFACE. Not constant,
/// because CK_INTERFACE says so; nobody writes them.
extern CARDEA_KEYSTORE_FUNCTIONS keystore_functions;
extern CARDEA_SEAL_FUNCTIONS seal_functions;
extern CARDEA_TPM_FUNCTIONS tpm_functions;

}  // namespace cardea::abi
