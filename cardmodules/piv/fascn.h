// The Federal Agency Smart Credential Number (TIG SCEPACS 2.3, 6): 40 characters of four bits and odd parity.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::card::piv {

inline constexpr std::size_t fascn_size = 25;

/// Its fields, each as decimal digits.
struct Fascn {
  std::string agency;        ///< 4
  std::string system;        ///< 4
  std::string credential;    ///< 6
  std::string series;        ///< 1: credential series
  std::string issue;         ///< 1: individual credential issue
  std::string person;        ///< 10
  std::string category;      ///< 1: organizational category
  std::string organization;  ///< 4: organizational identifier
  std::string association;   ///< 1: person / organization association category
  bool operator==(const Fascn&) const = default;

  /// The 32 digits without sentinels and separators, in the order of the fields.
  std::string digits() const;
  /// PIV-I and CIV cards carry fourteen nines instead of a number; what identifies them is the GUID.
  bool is_absent() const;
};

/// data_invalid when it is not 25 bytes, a parity bit or the longitudinal check is wrong, or a field holds no digit.
Result<Fascn> decode_fascn(ByteView bytes);

/// The inverse; data_invalid when a field has the wrong length or something else than digits.
Result<Bytes> encode_fascn(const Fascn& fascn);

}  // namespace cardea::card::piv
