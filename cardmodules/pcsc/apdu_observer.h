// What passes between this process and a card, for traces and recordings, already without secrets.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::card {

/// One APDU and its answer in lower-case hexadecimal; "<n>" stands for n bytes that are secret.
struct ObservedExchange {
  std::string_view command;
  std::string_view answer;         ///< with its status word; empty when there was none
  const Error* failure = nullptr;  ///< why there was none; null when there was one
  std::chrono::microseconds duration{};
};

/// Sees exchanges as they happen, one at a time for each channel, from any thread.
class ApduObserver {
 public:
  virtual ~ApduObserver() = default;
  virtual void transaction_began(ByteView atr, bool card_was_reset) noexcept = 0;
  virtual void exchanged(const ObservedExchange& exchange) noexcept = 0;
};
using ApduObserverPtr = std::shared_ptr<ApduObserver>;

/// Gives each card that is opened in a reader its observer; null for none.
using ObserverFactory = std::function<ApduObserverPtr(const std::string& reader)>;

}  // namespace cardea::card
