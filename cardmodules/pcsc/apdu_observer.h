// What passes between this process and a card, for traces and recordings, already without secrets.
#pragma once

#include <chrono>
#include <string_view>

#include "base/bytes.h"

namespace cardea::card {

/// One APDU and its answer in lower-case hexadecimal; "<n>" stands for n bytes that are secret.
struct ObservedExchange {
  std::string_view command;
  std::string_view answer;  ///< with its status word; empty when there was none
  std::string_view error;   ///< why there was none, in words
  std::chrono::microseconds duration{};
};

/// Sees exchanges as they happen, one at a time for each channel, from any thread.
class ApduObserver {
 public:
  virtual ~ApduObserver() = default;
  virtual void transaction_began(ByteView atr, bool card_was_reset) noexcept = 0;
  virtual void exchanged(const ObservedExchange& exchange) noexcept = 0;
};

}  // namespace cardea::card
