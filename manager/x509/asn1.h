// The DER (X.690) that certificates, CRLs and OCSP answers are put together from, and read by.
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/key_der.h"

namespace cardea::x509 {

inline constexpr Byte tag_boolean = 0x01;
inline constexpr Byte tag_integer = 0x02;
inline constexpr Byte tag_bit_string = 0x03;
inline constexpr Byte tag_octet_string = 0x04;
inline constexpr Byte tag_null = 0x05;
inline constexpr Byte tag_oid = 0x06;
inline constexpr Byte tag_enumerated = 0x0a;
inline constexpr Byte tag_utf8_string = 0x0c;
inline constexpr Byte tag_sequence = 0x30;
inline constexpr Byte tag_set = 0x31;
inline constexpr Byte tag_utc_time = 0x17;
inline constexpr Byte tag_generalized_time = 0x18;

/// The tag [number] of an explicit or constructed context-specific element, and of a primitive one.
constexpr Byte context_tag(int number) {
  return static_cast<Byte>(0xa0 | number);
}
constexpr Byte primitive_context_tag(int number) {
  return static_cast<Byte>(0x80 | number);
}

inline Bytes element(Byte tag, std::initializer_list<ByteView> parts) {
  return crypto::der<Bytes>(tag, parts);
}
inline Bytes sequence(std::initializer_list<ByteView> parts) {
  return element(tag_sequence, parts);
}
inline Bytes octet_string(ByteView content) {
  return element(tag_octet_string, {content});
}
/// Without unused bits.
Bytes bit_string(ByteView content);
/// Named bits with trailing zeros removed (X.690, 11.2.2); bit 0 is the lowest of `bits`.
Bytes named_bits(std::uint32_t bits);
Bytes boolean(bool value);
/// An INTEGER from a number, and from unsigned big-endian bytes.
Bytes integer(std::uint64_t value);
inline Bytes integer(ByteView unsigned_number) {
  return crypto::der_integer<Bytes>(unsigned_number);
}

/// The OBJECT IDENTIFIER "1.2.840.…"; arguments_bad when the text is none.
Result<Bytes> object_identifier(std::string_view dotted);
/// The dotted form of a whole OBJECT IDENTIFIER element; empty when it is malformed or an arc has more than 64 bits.
std::string dotted(ByteView oid_element);

/// UTCTime before 2050, GeneralizedTime from then on (RFC 5280, 4.1.2.5); years outside 1950 to 9999 are cut to those.
Bytes time(std::chrono::sys_seconds at);
/// GeneralizedTime with seconds in UTC, as extensions, CRLs and OCSP have it.
Bytes generalized_time(std::chrono::sys_seconds at);
/// Takes a UTCTime or GeneralizedTime in the one form DER allows in certificates (RFC 5280, 4.1.2.5).
std::optional<std::chrono::sys_seconds> take_time(crypto::DerReader& reader);
/// Takes a BOOLEAN.
std::optional<bool> take_boolean(crypto::DerReader& reader);

/// One extension of a certificate, request or CRL, as views into what was parsed.
struct Extension {
  ByteView oid;  ///< the whole element
  bool critical = false;
  ByteView value;  ///< what is inside the OCTET STRING
};
/// The content of Extensions (SEQUENCE OF Extension); data_invalid when malformed or one is there twice (RFC
/// 5280, 4.2).
Result<std::vector<Extension>> read_extensions(ByteView content);
/// The first with that identifier (whole element); null when there is none.
const Extension* find_extension(const std::vector<Extension>& extensions, ByteView oid);
/// Extension with its OCTET STRING.
Bytes extension(ByteView oid, bool critical, ByteView value);

}  // namespace cardea::x509
