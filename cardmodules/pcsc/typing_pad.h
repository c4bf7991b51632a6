// A reader's PIN pad made of memory, with the person who types on it, for tests.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "pcsc/pin_pad.h"

namespace cardea::card {

/// What a PIN_MODIFY structure (PC/SC part 10, 2.5.3) says beside the layout that it shares with PIN_VERIFY.
struct PinChange {
  Byte offset_old;
  Byte offset_new;
  Byte confirm;  ///< bit 0: the new PIN twice; bit 1: the old one too
  Byte messages;
  std::array<Byte, 3> texts;
};

/// Completes commands as PC/SC part 10, 2.5.2 and 2.5.3, wants it and sends them to a card.
class TypingPad {
 public:
  using Card = std::function<Bytes(ByteView command)>;
  explicit TypingPad(Card card) : card_(std::move(card)) {}

  static constexpr ReaderFeatures features{.verify_pin = 0x42000006, .modify_pin = 0x42000007};

  std::deque<std::string> typed;    ///< what the person enters, one after the other; nothing: waits too long
  bool cancels = false;             ///< the person presses the red key
  int entries = 0;                  ///< how often the reader asked
  std::optional<PinChange> change;  ///< the last one that was asked for

  ReaderPinPad pad() {
    return {features, [this](std::uint32_t code, ByteView input) { return Result<Bytes>(control(code, input)); }};
  }

  Bytes control(std::uint32_t code, ByteView input) {
    return code == features.modify_pin ? modify(input) : verify(input);
  }

 private:
  struct Limits {
    std::size_t least;
    std::size_t most;
  };

  static Bytes reports(std::uint16_t status) { return {static_cast<Byte>(status >> 8), static_cast<Byte>(status)}; }
  /// One PIN within the limits; answers what the reader reports instead.
  std::optional<std::uint16_t> enter(Limits limits, std::string& pin) {
    ++entries;
    if (cancels) return 0x6401;
    if (typed.empty()) return 0x6400;
    pin = std::move(typed.front());
    typed.pop_front();
    if (pin.size() < limits.least || pin.size() > limits.most) return 0x6403;
    return {};
  }
  /// Over the padding, or where there is none between what surrounds it.
  static void insert(Bytes& command, std::size_t offset, std::size_t block, const std::string& pin) {
    const auto place = command.begin() + 5 + static_cast<std::ptrdiff_t>(offset);
    if (block != 0) {
      std::copy(pin.begin(), pin.end(), place);
      return;
    }
    command.insert(place, pin.begin(), pin.end());
    command[4] = static_cast<Byte>(command[4] + pin.size());
  }

  Bytes verify(ByteView input) {
    constexpr std::size_t head = 19;
    Bytes command = to_bytes(input.subspan(head));
    std::string pin;
    if (const auto failed = enter(Limits{input[6], input[5]}, pin)) return reports(*failed);
    insert(command, 0, input[3], pin);
    return card_(command);
  }

  Bytes modify(ByteView input) {
    constexpr std::size_t head = 24;
    Bytes command = to_bytes(input.subspan(head));
    change = PinChange{.offset_old = input[5],
                       .offset_new = input[6],
                       .confirm = input[9],
                       .messages = input[11],
                       .texts = {input[14], input[15], input[16]}};
    const Limits limits{input[8], input[7]};
    const bool asks_old = (change->confirm & 2) != 0;
    std::string old_pin;
    std::string new_pin;
    std::string again;
    if (asks_old) {
      if (const auto failed = enter(limits, old_pin)) return reports(*failed);
    }
    for (std::string* const pin : {&new_pin, &again}) {
      if (const auto failed = enter(limits, *pin)) return reports(*failed);
    }
    if (again != new_pin) return reports(0x6402);
    if (asks_old) insert(command, change->offset_old, input[3], old_pin);
    insert(command, change->offset_new, input[3], new_pin);
    return card_(command);
  }

  const Card card_;
};

}  // namespace cardea::card
