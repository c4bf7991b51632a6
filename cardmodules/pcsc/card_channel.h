// A way to one card: through PC/SC, from a recording, or a card in this process's memory (tests, fuzzing).
#pragma once

#include <memory>

#include "pcsc/apdu.h"
#include "pcsc/apdu_observer.h"

namespace cardea::card {

/// What one APDU may carry, as the reader and the card's historical bytes (ISO 7816-4, 8.1.1.2.7) say.
struct ApduLimits {
  std::size_t command_data = 255;  ///< bytes of data in one command; above 255: extended length
  std::size_t answer_data = 256;   ///< bytes of data in one answer; above 256: extended length
  bool chaining = true;            ///< command chaining (ISO 7816-4, 5.1.1.1) for longer data
  /// False where reader or protocol carry no extended length, or the card refused it: then nothing raises the limits.
  bool extended_possible = true;

  friend bool operator==(const ApduLimits&, const ApduLimits&) = default;
};

/// Whether the card is as this process left it.
enum class CardState : std::uint8_t {
  undisturbed,  ///< nobody else reset it since our last transaction; another application may still have been selected
  reset         ///< it was reset, or this is the first transaction: nothing is selected, nobody is verified
};

/// What is done to the card at the end of a transaction.
enum class AtEnd : std::uint8_t { leave, reset };

/// A reader's own PIN pad (PC/SC part 10, 2.5). The PIN never enters this process.
class PinPad {
 public:
  virtual ~PinPad() = default;
  /// How the card wants the PIN laid out in the command that the pad completes.
  struct PinBlock {
    Byte ins = 0x20;  ///< VERIFY; for changes CHANGE REFERENCE DATA 24 or RESET RETRY COUNTER 2C
    Byte p1 = 0;
    Byte p2 = 0;
    std::size_t min_length = 4;
    std::size_t max_length = 8;
    std::size_t padded_length = 8;  ///< 0: not padded
    Byte padding = 0xff;
  };
  /// What the command for a change holds.
  enum class Change : std::uint8_t { old_and_new, new_alone };

  /// The user types the PIN on the reader; answers the card's status word. function_canceled when the user gave up or
  /// typed nothing for too long; pin_length; function_not_supported when the reader cannot lay out such a PIN.
  virtual Result<std::uint16_t> verify(const PinBlock& block) = 0;
  /// The new PIN is typed twice, after the old one where the command holds both; `block` bounds their lengths. Errors
  /// as above, and pin_invalid when the two entries of the new PIN differ.
  virtual Result<std::uint16_t> modify(const PinBlock& block, Change change) = 0;
  /// Whether the reader has modify() at all.
  virtual bool modifies() const = 0;
};

/// One card in one reader. begin() to end() is exclusive: other threads and processes wait, for a bounded time.
class CardChannel {
 public:
  virtual ~CardChannel() = default;

  virtual Bytes atr() const = 0;
  virtual ApduLimits limits() const = 0;
  /// Replaces the limits by what was learnt about this card, for the life of the channel. Only within a transaction.
  virtual void learn(const ApduLimits& limits) = 0;
  /// Takes the card. token_absent, device_removed, timed_out when another process keeps it, device_error.
  virtual Result<CardState> begin() = 0;
  virtual void end(AtEnd action) noexcept = 0;
  /// One APDU as it goes over the wire. device_removed, timed_out after `patience`, device_error. Only CardTransaction
  /// may.
  virtual Result<Bytes> exchange(ByteView command, std::chrono::milliseconds patience) = 0;
  /// Null when the reader has none, and before the first transaction.
  virtual PinPad* pin_pad() { return nullptr; }
  /// Keeps the card powered and its security status alive between transactions, at the price that programs which want
  /// the card for themselves alone do not get it. For a PIN typed on the reader's pad, which cannot be shown again.
  virtual void keep_connected(bool) {}

  /// Who sees the exchanges; null: nobody. To be set before the first transaction.
  void set_observer(ApduObserverPtr observer) noexcept { observer_ = std::move(observer); }
  ApduObserver* observer() const noexcept { return observer_.get(); }

 private:
  ApduObserverPtr observer_;
};
using CardChannelPtr = std::shared_ptr<CardChannel>;

}  // namespace cardea::card
