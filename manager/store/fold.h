// Names as they are compared: without regard to case and to how accents are composed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cardea::manager::store {

/// The text in normal form C with case folded (Unicode 15, 3.13). data_invalid when it is no UTF-8 or holds a NUL.
Result<std::string> fold(std::string_view text);

/// Succeeds for UTF-8 without NUL, all that PostgreSQL keeps in a text; data_invalid otherwise.
Status check_text(std::string_view text);

}  // namespace cardea::manager::store
