// The security object (SP 800-73-4 part 1, 3.1.7): hashes of other data objects, signed by the issuer.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cardea::card::piv {

struct SecurityObject {
  /// A data object that the card's issuer signed.
  struct Entry {
    std::uint16_t container = 0;  ///< container id (data_objects.h)
    Bytes digest;
  };
  Hash hash = Hash::none;
  std::vector<Entry> entries;
  Bytes signature;  ///< CMS SignedData over the hashes
};

/// Reads the content. data_invalid when the mapping of containers, the CMS message or the list of hashes inside it
/// (ICAO Doc 9303 part 10, 4.6.2.3) is damaged or contradicts itself; mechanism_invalid for an unknown hash.
Result<SecurityObject> parse_security_object(ByteView content);

/// Checks the signature; `others` are certificates in which the signer's may be (that of the CHUID). Errors as
/// crypto::verify_signed_data.
Status verify_security_object(const SecurityObject& object, ByteView issuer, const std::vector<Bytes>& others);

/// Compares the content of a data object with its hash: signature_invalid when it is another.
Status check_digest(const SecurityObject& object, const SecurityObject::Entry& entry, ByteView content);

}  // namespace cardea::card::piv
