// What a token says, made safe to show: a label may hold escape sequences or broken UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cardea::cli {

/// The text with control characters and bytes that are not UTF-8 replaced by '?'.
std::string printable(std::string_view text);

/// True when the text can be shown on a terminal as it is: UTF-8 whose only control characters are line ends and tabs.
bool is_plain_text(std::string_view text);

/// Columns on a terminal that the text takes, counting each code point as one.
std::size_t width(std::string_view utf8);

/// The text split at the separator, without empty parts and without blanks at the ends of parts.
std::vector<std::string> split(std::string_view text, char separator);

/// Lower-case ASCII.
std::string lower(std::string_view text);

}  // namespace cardea::cli
