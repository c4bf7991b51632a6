// The little DER that keys are written in (X.690): enough for SubjectPublicKeyInfo, PrivateKeyInfo and ECDSA
// signatures. Writing is generic over the buffer, so that private keys are only ever put together in SecretBytes.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "base/bytes.h"

namespace cardea::crypto {

inline constexpr Byte der_integer_tag = 0x02;
inline constexpr Byte der_bit_string = 0x03;
inline constexpr Byte der_octet_string = 0x04;
inline constexpr Byte der_null = 0x05;
inline constexpr Byte der_oid = 0x06;
inline constexpr Byte der_printable_string = 0x13;
inline constexpr Byte der_sequence = 0x30;

/// Reads one element after the other. Strict: lengths in their shortest form, nothing beyond the end.
class DerReader {
 public:
  explicit DerReader(ByteView bytes) : rest_(bytes) {}

  bool at_end() const noexcept { return rest_.empty(); }
  /// The tag of the next element; 0 at the end.
  Byte next_tag() const noexcept { return rest_.empty() ? Byte{0} : rest_[0]; }
  /// The content of the next element if it has that tag; the reader then stands after it.
  std::optional<ByteView> take(Byte tag) noexcept;
  /// As take, but with tag and length, for what is copied as it is.
  std::optional<ByteView> take_whole(Byte tag) noexcept;
  /// A non-negative INTEGER, big-endian without leading zeros (zero itself is empty).
  std::optional<ByteView> take_unsigned() noexcept;

 private:
  ByteView rest_;
};

/// Big-endian bytes without leading zeros.
ByteView without_leading_zeros(ByteView number) noexcept;

/// Writes tag and length in front of `size` content bytes and answers how many bytes that took (2 to 6); `out` may be
/// null to ask for the count only.
std::size_t write_der_header(Byte tag, std::size_t size, Byte* out) noexcept;

/// An element whose content is the parts in a row. Buffer is Bytes or SecretBytes.
template <class Buffer>
Buffer der(Byte tag, std::initializer_list<ByteView> parts) {
  std::size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  Buffer out(write_der_header(tag, size, nullptr) + size);
  Byte* position = out.data() + write_der_header(tag, size, out.data());
  for (const ByteView part : parts) position = std::copy(part.begin(), part.end(), position);
  return out;
}

/// An INTEGER from an unsigned big-endian number.
template <class Buffer>
Buffer der_integer(ByteView number) {
  constexpr Byte zero = 0;
  number = without_leading_zeros(number);
  const bool pad = number.empty() || (number[0] & 0x80u) != 0;
  return der<Buffer>(der_integer_tag, {pad ? ByteView(&zero, 1) : ByteView(), number});
}

}  // namespace cardea::crypto
