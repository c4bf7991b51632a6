#pragma once

#include "base/result.h"
#include "card/piv_state.h"

namespace cardea::vcard {

/// Gives the card a new P-256 attestation key F9 and its certificate, which it signs itself. Codes: device_error.
Status add_attestation_key(PivState& state);

}  // namespace cardea::vcard
