// The only type that can transmit an APDU: exclusive use of a card from begin() to destruction.
#pragma once

#include "pcsc/card_channel.h"

namespace cardea::card {

class CardTransaction {
 public:
  /// Takes the card; errors as CardChannel::begin.
  static Result<CardTransaction> begin(CardChannelPtr channel);

  CardTransaction(CardTransaction&& other) noexcept;
  CardTransaction& operator=(CardTransaction&&) = delete;
  CardTransaction(const CardTransaction&) = delete;
  CardTransaction& operator=(const CardTransaction&) = delete;
  ~CardTransaction();

  /// Whether the card lost what was selected and verified since this process's last transaction.
  bool card_was_reset() const noexcept { return state_ == CardState::reset; }
  Bytes atr() const { return channel_->atr(); }
  PinPad* pin_pad() const { return channel_->pin_pad(); }

  /// Sends the command in as few APDUs as the limits allow and fetches the whole answer (61xx, 6Cxx). Any status word
  /// is a success here; errors are those of CardChannel::exchange, data_length for a command that the card takes in no
  /// form or an answer above 64 KiB, and device_error for an answer that is none or never ends.
  Result<Response> transmit(const Command& command);

  /// The same where only 9000 is of use; otherwise status_error().
  Result<Response> call(const Command& command);

  /// Tells that this card takes extended length and chaining though its ATR does not say so. A card or reader that
  /// then refuses it is asked no more.
  void allow_extended();

  /// Has the card reset at the end, which closes its security status for everybody.
  void reset_at_end() noexcept { at_end_ = AtEnd::reset; }

 private:
  CardTransaction(CardChannelPtr channel, CardState state) : channel_(std::move(channel)), state_(state) {}

  CardChannelPtr channel_;  // null when moved from
  CardState state_;
  AtEnd at_end_ = AtEnd::leave;
};

}  // namespace cardea::card
