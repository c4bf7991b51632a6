// What a token says, made safe to show: a label may hold escape sequences or broken UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace cardea::p11client {

/// The text with control characters and bytes that are not UTF-8 replaced by '?'.
std::string printable(std::string_view text);

/// True when the text can be shown on a terminal as it is: UTF-8 whose only control characters are line ends and tabs.
bool is_plain_text(std::string_view text);

}  // namespace cardea::p11client
