// Biometric data objects: a CBEFF record with its patron header (SP 800-76-2, 9, table 13).
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "piv/fascn.h"

namespace cardea::card::piv {

struct Biometric {
  std::string created;  ///< YYYY-MM-DDThh:mm:ssZ
  std::string valid_from;
  std::string valid_until;
  std::string kind;  ///< "fingerprint", "face", "iris", or the type's number
  std::size_t format_owner = 0;
  std::size_t format = 0;
  int quality = 0;  ///< -2 to 100
  std::string creator;
  Bytes fascn_bytes;
  std::size_t data_size = 0;       ///< bytes of the biometric data block
  std::size_t signature_size = 0;  ///< bytes of the signature block
};

/// Reads the header and checks its lengths against what is there. data_invalid; not_found when the object holds no
/// record.
Result<Biometric> parse_biometric(ByteView content);

}  // namespace cardea::card::piv
