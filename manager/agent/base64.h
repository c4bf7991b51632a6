// Base64 (RFC 4648, 4) as the daemon's messages carry bytes.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace cardea::agent {

/// Strict: padded, no line breaks. data_invalid.
Result<SecretBytes> secret_from_base64(std::string_view text);
/// The same for what is no secret.
Result<Bytes> from_base64(std::string_view text);

}  // namespace cardea::agent
