// PEM (RFC 7468).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/result.h"

namespace cardea::x509 {

using cardea::to_base64;

/// The inverse, of canonical base64 with padding and without line breaks (RFC 4648, 4); data_invalid.
Result<Bytes> from_base64(std::string_view text);

/// PEM with this label, e.g. "CERTIFICATE".
Result<std::string> to_pem(std::string_view label, ByteView der);

/// The DER inside: of the first PEM block with this label, or the bytes themselves when there is no PEM in them.
/// data_invalid when there is PEM but no such block.
Result<Bytes> from_pem_or_der(std::string_view label, ByteView bytes);

/// The DER inside all PEM blocks with this label, or the bytes themselves when there is no PEM in them; data_invalid
/// when there is PEM but no such block.
Result<std::vector<Bytes>> all_from_pem_or_der(std::string_view label, ByteView bytes);

}  // namespace cardea::x509
