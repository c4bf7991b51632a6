// subjectAltName (RFC 5280, 4.2.1.6) from typed names and back.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "domain/ca_connector.h"

namespace cardea::ca {

/// GeneralNames, the extension's value. arguments_bad names the value that cannot stand there and why.
Result<Bytes> encode_alternative_names(const std::vector<manager::AlternativeName>& names);

/// What a subjectAltName holds.
struct DecodedNames {
  std::vector<manager::AlternativeName> names;
  bool complete = true;  ///< false: there were names of kinds that are not known here
};
/// The inverse; data_invalid when malformed. A "urn:uuid:" URI is of kind uuid; text is compared as it is written.
Result<DecodedNames> decode_alternative_names(ByteView value);

/// Whether both lists hold the same names in any order: DNS names, and what stands behind the @ of e-mail addresses,
/// without regard to case (RFC 5280, 7.2, 7.5), addresses and directory names by meaning.
bool same_alternative_names(const std::vector<manager::AlternativeName>& a,
                            const std::vector<manager::AlternativeName>& b);

}  // namespace cardea::ca
