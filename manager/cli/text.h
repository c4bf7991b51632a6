// Small things about text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/p11.h"

namespace cardea::cli {

/// Columns on a terminal that the text takes, counting each code point as one.
std::size_t width(std::string_view utf8);

/// The text split at the separator, without empty parts and without blanks at the ends of parts.
std::vector<std::string> split(std::string_view text, char separator);

/// Lower-case ASCII.
std::string lower(std::string_view text);

}  // namespace cardea::cli
