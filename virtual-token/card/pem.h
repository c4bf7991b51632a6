// Textual encoding of keys and certificates (RFC 7468), without encryption.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea::vcard {

/// What the first block of that label holds ("CERTIFICATE", "PRIVATE KEY"). Codes: data_invalid.
Result<SecretBytes> from_pem(ByteView text, std::string_view label);

}  // namespace cardea::vcard
