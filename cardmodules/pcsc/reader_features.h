// What a reader can do beyond passing on commands (PC/SC part 10).
#pragma once

#include <functional>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::card {

struct ReaderFeatures {
  std::uint32_t verify_pin = 0;  ///< control code of FEATURE_VERIFY_PIN_DIRECT; 0: the reader has no PIN pad
  std::uint32_t modify_pin = 0;  ///< control code of FEATURE_MODIFY_PIN_DIRECT; 0: PINs cannot be changed on it
  bool short_apdus_only = false;
  std::size_t min_pin_length = 0;  ///< what the pad takes; 0: not told
  std::size_t max_pin_length = 0;
};

/// Asks a reader by a control code, without input.
using AskReader = std::function<Result<Bytes>(std::uint32_t code)>;

/// Asks the reader for its features; one that knows nothing of this has none. Total over any answer.
ReaderFeatures explore_features(const AskReader& ask);

}  // namespace cardea::card
