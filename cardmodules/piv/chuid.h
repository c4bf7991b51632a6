// The Card Holder Unique Identifier (SP 800-73-4 part 1, 3.1.2 and table 9).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "piv/fascn.h"

namespace cardea::card::piv {

/// The CHUID's fields; empty where the card has none.
struct Chuid {
  Bytes fascn_bytes;           ///< as on the card, also when it does not decode
  std::optional<Fascn> fascn;  ///< decoded
  std::string fascn_problem;   ///< why it does not decode
  std::string organization;    ///< deprecated field 32
  std::string duns;            ///< deprecated field 33
  Bytes guid;                  ///< 16 bytes: the card UUID
  std::string expires;         ///< YYYYMMDD
  Bytes cardholder_uuid;       ///< 16 bytes
  Bytes signature;             ///< CMS SignedData over the other fields
  Bytes signed_content;        ///< what the signature covers: all fields but itself, as on the card
};

/// Reads the content of the data object. data_invalid when it is no sequence of fields, or a field has a length that
/// the standard does not allow; a FASC-N that does not decode is told in fascn_problem.
Result<Chuid> parse_chuid(ByteView content);

/// Extended key usage of certificates that sign PIV objects: id-PIV-content-signing (FIPS 201-3, 4.2.1).
inline constexpr const char* content_signing = "2.16.840.1.101.3.6.7";

/// Checks the issuer's signature; `issuer` is the signer's certificate or one of its chain (DER). Errors as
/// crypto::verify_signed_data; not_found when the CHUID is not signed.
Status verify_chuid(const Chuid& chuid, ByteView issuer);

/// A UUID as RFC 4122 writes it; its 16 bytes.
std::string uuid_text(ByteView uuid);

/// What distinguishes the card, at most 16 characters: agency, system and credential number of the FASC-N, or the
/// GUID's first half where there is none (PIV-I, CIV). Empty when the CHUID has neither.
std::string chuid_serial(const Chuid& chuid);

}  // namespace cardea::card::piv
