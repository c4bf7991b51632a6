// Enumerations and the words that stand for them in configuration and API.
#pragma once

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cardea::manager {

/// The value whose word this is; arguments_bad with all words otherwise. Values count from 0 as the words do.
template <class Enum, std::size_t count>
Result<Enum> value_of_word(const std::array<std::string_view, count>& words, std::string_view word,
                           std::string_view what) {
  std::string known;
  for (std::size_t i = 0; i < count; ++i) {
    if (words[i] == word) return static_cast<Enum>(i);
    if (words[i].empty()) continue;
    known += known.empty() ? "" : ", ";
    known += words[i];
  }
  return error(Code::arguments_bad, fmt::format("'{}' is no {}; there are {}", word, what, known));
}

}  // namespace cardea::manager
