// Names of PKCS#11's constants and of NSS's own, both ways, for traces and the command line. Taken from constants.def
// and nss.def.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cryptoki/cryptoki.h"

namespace cardea {

/// What a number means: the prefix of its constants' names.
enum class ConstantKind : unsigned char {
  CK,   ///< general values; many share a number, so only value_of_constant makes sense
  CKA,  ///< attribute types
  CKC,  ///< certificate types
  CKD,  ///< key derivation functions
  CKF,  ///< flags, whose meaning depends on where they stand: only value_of_constant makes sense
  CKG,  ///< mask generation functions and generators
  CKH,  ///< hardware features
  CKK,  ///< key types
  CKM,  ///< mechanisms
  CKN,  ///< notifications
  CKO,  ///< object classes
  CKP,  ///< profiles, parameter sets and PRFs: they overlap
  CKR,  ///< return values
  CKS,  ///< session states
  CKT,  ///< trust values
  CKU,  ///< user types
  CKV,  ///< validation types
  CKZ   ///< OAEP and PBKDF2 sources
};

/// The name, e.g. "CKM_RSA_PKCS"; empty when the value has none. The standard's first one where several share the
/// value.
std::string_view constant_name(ConstantKind kind, CK_ULONG value) noexcept;

/// The name, or prefix and hexadecimal number ("CKM_0x80000001") for a value without one.
std::string constant_text(ConstantKind kind, CK_ULONG value);

/// The value of a name in any case, with or without its prefix ("CKA_LABEL", "label"); a number in decimal or with 0x
/// is taken as it is. Absent when nothing fits.
std::optional<CK_ULONG> constant_value(ConstantKind kind, std::string_view name) noexcept;

}  // namespace cardea
