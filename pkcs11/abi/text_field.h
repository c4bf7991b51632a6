// The standard's fixed-width text: padded with blanks, not terminated, cut at a character's border.
#pragma once

#include <algorithm>
#include <string_view>

#include "cryptoki/cryptoki.h"

namespace cardea::abi {

template <std::size_t width>
void set_text(CK_UTF8CHAR (&field)[width], std::string_view text) {
  std::size_t length = std::min(width, text.size());
  // UTF-8 continuation bytes are 10xxxxxx: do not leave half a character.
  while (length > 0 && length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  std::fill(std::copy_n(text.begin(), length, field), field + width, ' ');
}

}  // namespace cardea::abi
