#include "agent/base64.h"

namespace cardea::agent {
namespace {

constexpr int none = -1;

constexpr int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : none;
}

}  // namespace

Result<SecretBytes> secret_from_base64(std::string_view text) {
  const Error malformed = error(Code::data_invalid, "this is no base64");
  if (text.size() % 4 != 0) return malformed;
  std::size_t padding = 0;
  while (padding < 2 && text.size() > padding && text[text.size() - padding - 1] == '=') ++padding;
  SecretBytes bytes(text.size() / 4 * 3);
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const bool is_padding = i + j + padding >= text.size();
      const int value = is_padding ? 0 : value_of(text[i + j]);
      if (value == none) return malformed;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    for (const int shift : {16, 8, 0}) bytes.data()[written++] = static_cast<Byte>(group >> shift);
  }
  bytes.truncate(written - padding);
  return bytes;
}

Result<Bytes> from_base64(std::string_view text) {
  CARDEA_ASSIGN(const SecretBytes bytes, secret_from_base64(text));
  return to_bytes(bytes.view());
}

}  // namespace cardea::agent
