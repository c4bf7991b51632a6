// A recorded card, played back.
#pragma once

#include <mutex>

#include "pcsc/card_channel.h"
#include "pcsc/recording.h"

namespace cardea::card {

/// Answers a command as the card did when it was recorded: the next time in the recording, else the first time from its
/// beginning. Secret parts of commands match any bytes of that length, and secret parts of answers are zeros. A command
/// that is not in the recording is answered 6F00 and remembered. Answers come at once. Thread-safe.
class ReplayChannel final : public CardChannel {
 public:
  explicit ReplayChannel(Recording recording);

  Bytes atr() const override { return recording_.atr; }
  /// Extended length where the recorded conversation used it.
  ApduLimits limits() const override;
  void learn(const ApduLimits& limits) override;
  Result<CardState> begin() override;
  void end(AtEnd action) noexcept override;
  Result<Bytes> exchange(ByteView command, std::chrono::milliseconds patience) override;

  const std::string& reader() const noexcept { return recording_.reader; }
  /// Commands that were not in the recording, in hexadecimal, PINs replaced by their length; the first hundred.
  std::vector<std::string> unknown_commands() const;

 private:
  const Recording recording_;
  std::mutex busy_;  // from begin() to end()
  mutable std::mutex mutex_;
  ApduLimits limits_;  // from here on under mutex_
  std::vector<std::string> unknown_;
  std::size_t next_ = 0;
  CardState state_ = CardState::reset;
};

}  // namespace cardea::card
