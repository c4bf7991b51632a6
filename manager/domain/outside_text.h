// Text from outside that is kept and shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cardea::manager {

/// The text without control characters, and at most `max` bytes of it. UTF-8 stays UTF-8: it is cut between two
/// characters, since the store takes no other text.
std::string kept_text(std::string_view text, std::size_t max);

}  // namespace cardea::manager
