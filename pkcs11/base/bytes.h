// Views of memory that the rest of the code passes around. No ownership, no PKCS#11 words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cardea {

using Byte = unsigned char;
using Bytes = std::vector<Byte>;
using ByteView = std::span<const Byte>;
using MutableBytes = std::span<Byte>;

/// The bytes of a text, without its terminator.
inline ByteView view_of(std::string_view text) {
  return {reinterpret_cast<const Byte*>(text.data()), text.size()};
}

/// The same bytes seen as text; no check of the encoding.
inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// An owned copy.
inline Bytes to_bytes(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

/// Compares contents; not constant time, so not for secrets (see secret.h: equal_in_constant_time).
inline bool same_bytes(ByteView a, ByteView b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

/// Lower-case hexadecimal, two digits a byte, no separators.
std::string to_hex(ByteView bytes);

/// The inverse of to_hex, upper or lower case; false for an odd length or a character that is no digit.
[[nodiscard]] bool from_hex(std::string_view text, Bytes& out);

}  // namespace cardea
