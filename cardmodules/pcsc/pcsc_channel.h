// A card in a reader of PC/SC-lite.
#pragma once

#include <condition_variable>
#include <mutex>

#include "base/bounded_worker.h"
#include "pcsc/pcsc_connection.h"
#include "pcsc/pin_pad.h"

namespace cardea::card {

/// Holds the card only between begin() and end(), unless told to keep connected: connecting anew costs no APDU, and
/// programs that want the card for themselves alone get it as soon as we are done. Each channel has a PC/SC context and
/// a thread of its own while it is in use, so that a mute card or a foreign transaction holds up no other; both go when
/// the channel rests. Thread-safe.
class PcscChannel final : public CardChannel {
 public:
  PcscChannel(const PcscApi& api, InsertedCard card);
  ~PcscChannel() override;

  Bytes atr() const override { return atr_; }
  ApduLimits limits() const override;
  void learn(const ApduLimits& limits) override;
  /// CardState::reset also when the card may have lost its power since our last transaction. A reset by another program
  /// while we were not connected goes unnoticed here; the card's answers tell.
  Result<CardState> begin() override;
  void end(AtEnd action) noexcept override;
  Result<Bytes> exchange(ByteView command, std::chrono::milliseconds patience) override;
  PinPad* pin_pad() override;
  void keep_connected(bool keep) override;

 private:
  using Clock = BoundedWorker::Clock;

  Clock::time_point deadline_for_begin();
  Status take(Clock::time_point deadline);
  void give_back() noexcept;
  void remember_waiting_in_vain();
  Result<CardState> connect_and_begin(Clock::time_point deadline);
  void settle_reader(const ReaderFeatures& features, bool carries_extended);
  Result<Bytes> control(std::uint32_t code, ByteView input);

  const Bytes atr_;
  const std::shared_ptr<PcscConnection> connection_;  // the worker's calls own it too
  BoundedWorker worker_;

  std::mutex taken_mutex_;
  std::condition_variable given_back_;
  bool taken_ = false;           // by a transaction; under taken_mutex_
  Clock::time_point in_vain_{};  // the same: when somebody last waited to the end

  mutable std::mutex mutex_;
  ApduLimits limits_;                      // under mutex_
  std::unique_ptr<ReaderPinPad> pin_pad_;  // under mutex_; set once
  bool reader_known_ = false;              // by the thread that holds the transaction
  bool lost_ = false;                      // the same: the transaction was given up
};

}  // namespace cardea::card
