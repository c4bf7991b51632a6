// One connection to one card through PC/SC, as the calls of a channel's worker share it.
#pragma once

#include <atomic>
#include <chrono>

#include "pcsc/card_channel.h"
#include "pcsc/pcsc_api.h"
#include "pcsc/reader_features.h"

namespace cardea::card {

/// Which card a connection is for: a reader may hold another one by the time it is used.
struct InsertedCard {
  std::string reader;
  Bytes atr;
  std::uint16_t events = 0;  ///< the reader's count of insertions and removals
  std::string service;       ///< PcscApi::service_identity
};

/// Not thread-safe: used by one thread after the other, but for what is atomic. Every call may block.
class PcscConnection {
 public:
  using Clock = std::chrono::steady_clock;

  PcscConnection(const PcscApi& api, InsertedCard card) : api_(api), card_(std::move(card)) {}

  /// Connects where there is no connection, begins a transaction, and makes sure that the card is still the one meant.
  /// Gives up, undoing all, when the deadline has passed in between.
  Result<CardState> begin(Clock::time_point deadline);
  void end(AtEnd action);
  /// The answer with its status word.
  Result<Bytes> transmit(ByteView command);
  /// The reader's answer to one of its features.
  Result<Bytes> control(std::uint32_t code, ByteView input);
  /// Lets go of the card.
  void disconnect();
  /// Lets go of the service as well.
  void release();
  /// The same, unless a transaction is under way or the connection is to be kept.
  void rest();

  const ReaderFeatures& features() const noexcept { return features_; }
  /// Whether extended length can reach the card: neither the reader nor the protocol rule it out.
  bool carries_extended() const noexcept;

  /// Whether the connection outlives its transactions.
  std::atomic<bool> keep{false};

 private:
  LONG establish();
  LONG connect(Clock::time_point deadline);
  Result<CardState> try_begin(Clock::time_point deadline);
  LONG begin_transaction(CardState& state);
  bool still_the_same_card();
  bool removed_soon();
  CardState state_of_new_connection() const;
  void explore_reader();

  const PcscApi& api_;
  const InsertedCard card_;
  SCARDCONTEXT context_ = 0;
  SCARDHANDLE handle_ = 0;
  bool has_context_ = false;
  bool has_handle_ = false;
  bool in_transaction_ = false;
  DWORD protocol_ = SCARD_PROTOCOL_UNDEFINED;
  bool explored_ = false;
  ReaderFeatures features_;
  Clock::time_point last_end_{};  // of a transaction that left the card as it was; the epoch: none
  Bytes received_;                // as long as the longest answer
};

}  // namespace cardea::card
