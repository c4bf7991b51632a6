// Base64 (RFC 4648, 4).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cardea {

/// With padding, without line breaks.
std::string to_base64(ByteView bytes);

/// The inverse of to_base64; false for anything that it would not have written.
[[nodiscard]] bool from_base64(std::string_view text, Bytes& out);

}  // namespace cardea
