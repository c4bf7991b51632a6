#include "domain/outside_text.h"

#include <algorithm>

namespace cardea::manager {

std::string kept_text(std::string_view text, std::size_t max) {
  std::string out(text);
  std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (out.size() <= max) return out;
  std::size_t end = max;
  // Bytes after a character's first one begin with the bits 10 (RFC 3629, 3).
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) --end;
  out.resize(end);
  return out;
}

}  // namespace cardea::manager
