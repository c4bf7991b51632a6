#include "crypto/key_der.h"

namespace cardea::crypto {

std::optional<ByteView> DerReader::take_whole(Byte tag) noexcept {
  const ByteView before = rest_;
  if (!take(tag)) return std::nullopt;
  return before.first(before.size() - rest_.size());
}

std::optional<ByteView> DerReader::take(Byte tag) noexcept {
  if (rest_.size() < 2 || rest_[0] != tag) return std::nullopt;
  std::size_t header = 2;
  std::size_t size = rest_[1];
  if (size >= 0x80) {
    const std::size_t digits = size & 0x7f;
    if (digits == 0 || digits > 4 || rest_.size() < 2 + digits) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < digits; ++i) size = (size << 8) | rest_[2 + i];
    header += digits;
    const bool shortest = size >= 0x80 && (size >> (8 * (digits - 1))) != 0;
    if (!shortest) return std::nullopt;
  }
  if (size > rest_.size() - header) return std::nullopt;
  const ByteView content = rest_.subspan(header, size);
  rest_ = rest_.subspan(header + size);
  return content;
}

std::optional<ByteView> DerReader::take_unsigned() noexcept {
  const auto content = take(der_integer_tag);
  if (!content || content->empty() || ((*content)[0] & 0x80u) != 0) return std::nullopt;
  if (content->size() > 1 && (*content)[0] == 0 && ((*content)[1] & 0x80u) == 0) return std::nullopt;
  return without_leading_zeros(*content);
}

ByteView without_leading_zeros(ByteView number) noexcept {
  std::size_t zeros = 0;
  while (zeros < number.size() && number[zeros] == 0) ++zeros;
  return number.subspan(zeros);
}

std::size_t write_der_header(Byte tag, std::size_t size, Byte* out) noexcept {
  std::size_t digits = 0;
  if (size >= 0x80) {
    for (std::size_t rest = size; rest != 0; rest >>= 8) ++digits;
  }
  if (out != nullptr) {
    out[0] = tag;
    out[1] = digits == 0 ? static_cast<Byte>(size) : static_cast<Byte>(0x80 | digits);
    for (std::size_t i = 0; i < digits; ++i) out[2 + i] = static_cast<Byte>(size >> (8 * (digits - 1 - i)));
  }
  return 2 + digits;
}

}  // namespace cardea::crypto
