// What a TPM, or the way to it, answers when something fails. Internal to this folder.
#pragma once

#include <tss2/tss2_common.h>

#include "base/result.h"

namespace cardea::tpm {

/// The answer as an Error, its number among the words. What callers tell apart:
///   pin_incorrect         the authorisation was wrong (TPM_RC_AUTH_FAIL, TPM_RC_BAD_AUTH)
///   pin_locked            the TPM is in dictionary-attack lock-out
///   wrapped_key_invalid   the blob was not made by this TPM under this parent, or was damaged
///   device_memory         no room for a further object or session
///   timed_out             the TPM has not begun and wants to be asked once more (TPM_RC_RETRY …)
///   device_removed        the connection is gone; a new one may help
///   data_invalid, public_key_invalid, curve_not_supported, key_size_range   about the input
///   device_error          everything else
/// (TPM 2.0 Library, part 2, 6.6; TSS 2.0 Overview, 3.1)
Error response_error(TSS2_RC response, SourcePlace where = SourcePlace::here());

}  // namespace cardea::tpm
