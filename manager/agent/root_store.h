// The certificates of authorities on a minidriver card: the file "msroots", SignedData that nobody signed (RFC
// 5652, 5.1).
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::agent {

/// The file with these certificates (DER), in this order.
Bytes make_root_store(std::span<const Bytes> certificates);

/// The certificates (DER) in the file; none for an empty one. data_invalid.
Result<std::vector<Bytes>> read_root_store(ByteView file);

}  // namespace cardea::agent
