// A way to one card: through PC/SC, from a recording, or a card in this process's memory (tests, fuzzing).
#pragma once

#include <memory>

#include "pcsc/apdu.h"

namespace cardea::card {

/// What one APDU may carry, as the reader and the card's historical bytes (ISO 7816-4, 8.1.1.2.7) say.
struct ApduLimits {
  std::size_t command_data = 255;  ///< bytes of data in one command
  std::size_t answer_data = 256;   ///< bytes of data in one answer
  bool chaining = true;            ///< command chaining (ISO 7816-4, 5.1.1.1) for longer data
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
  /// The user types the PIN on the reader; answers the card's status word. function_rejected when cancelled, timed_out.
  virtual Result<std::uint16_t> verify(const PinBlock& block) = 0;
  /// Old PIN and new PIN twice.
  virtual Result<std::uint16_t> modify(const PinBlock& block) = 0;
};

/// One card in one reader. begin() to end() is exclusive: other threads and processes wait, for a bounded time.
class CardChannel {
 public:
  virtual ~CardChannel() = default;

  virtual Bytes atr() const = 0;
  virtual ApduLimits limits() const = 0;
  /// Takes the card. token_absent, device_removed, timed_out when another process keeps it, device_error.
  virtual Result<CardState> begin() = 0;
  virtual void end(AtEnd action) noexcept = 0;
  /// One APDU as it goes over the wire, at most 2 s. device_removed, timed_out, device_error. Only CardTransaction may.
  virtual Result<Bytes> exchange(ByteView command) = 0;
  /// Null when the reader has none.
  virtual PinPad* pin_pad() { return nullptr; }
};
using CardChannelPtr = std::shared_ptr<CardChannel>;

}  // namespace cardea::card
