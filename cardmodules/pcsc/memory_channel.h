// A card in this process's memory behind the shape of a channel: virtual cards in tests, recordings, fuzzed answers.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

#include "pcsc/card_channel.h"

namespace cardea::card {

/// Calls a function for each APDU. The first transaction, and the first after reset(), sees a card that was reset.
class MemoryChannel final : public CardChannel {
 public:
  using Exchange = std::function<Result<Bytes>(ByteView command)>;

  MemoryChannel(Bytes atr, ApduLimits limits, Exchange exchange)
      : atr_(std::move(atr)), exchange_(std::move(exchange)), limits_(limits) {}

  Bytes atr() const override { return atr_; }
  ApduLimits limits() const override { return limits_; }
  void learn(const ApduLimits& limits) override { limits_ = limits; }
  Result<CardState> begin() override {
    busy_.lock();
    return std::exchange(state_, CardState::undisturbed);
  }
  void end(AtEnd action) noexcept override {
    if (action == AtEnd::reset) reset();
    busy_.unlock();
  }
  Result<Bytes> exchange(ByteView command, std::chrono::milliseconds) override {
    ++exchanges_;
    return exchange_(command);
  }

  PinPad* pin_pad() override { return pad_; }
  void keep_connected(bool keep) override { kept_ = keep; }

  /// The reader has this pad, which must outlive the channel.
  void attach(PinPad& pad) noexcept { pad_ = &pad; }
  bool kept() const noexcept { return kept_; }
  /// As if another process had reset the card; the function behind is not told.
  void reset() noexcept { state_ = CardState::reset; }
  /// APDUs so far.
  std::size_t exchanges() const noexcept { return exchanges_; }

 private:
  const Bytes atr_;
  const Exchange exchange_;
  std::mutex busy_;
  ApduLimits limits_;
  CardState state_ = CardState::reset;  // guarded by busy_, but for reset() which tests call between transactions
  std::size_t exchanges_ = 0;
  PinPad* pad_ = nullptr;
  bool kept_ = false;
};

}  // namespace cardea::card
