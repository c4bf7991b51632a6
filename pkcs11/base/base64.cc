#include "base/base64.h"

namespace cardea {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string to_base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const Byte byte : bytes) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 6; held -= 6) text += alphabet[bits >> (held - 6) & 0x3f];
  }
  if (held > 0) text += alphabet[bits << (6 - held) & 0x3f];
  while (text.size() % 4 != 0) text += '=';
  return text;
}

bool from_base64(std::string_view text, Bytes& out) {
  out.clear();
  std::string_view digits = text;
  while (digits.ends_with('=')) digits.remove_suffix(1);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char digit : digits) {
    const std::size_t value = alphabet.find(digit);
    if (value == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<Byte>(bits >> held));
  }
  // One encoding for each value: no spare bits that are set, no wrong padding.
  return to_base64(out) == text;
}

}  // namespace cardea
