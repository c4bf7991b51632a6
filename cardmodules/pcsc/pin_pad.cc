#include "pcsc/pin_pad.h"

#include <algorithm>
#include <array>

namespace cardea::card {
namespace {

// Fields that are the same for every card (PC/SC part 10, 2.5.2).
constexpr Byte reader_decides_timeout = 0;
constexpr Byte format_ascii_from_first_byte = 0x82;  // units of bytes, offset 0, left-justified, ASCII
constexpr Byte no_length_in_block = 0;
constexpr Byte done_when_confirmed = 0x02;
constexpr std::uint16_t english = 0x0409;
constexpr std::size_t longest_block = 15;  // four bits
constexpr std::size_t prologue_size = 3;

class Structure {
 public:
  Structure& byte(std::size_t value) {
    bytes_.push_back(static_cast<Byte>(value));
    return *this;
  }
  /// Numbers stand in the host's order, and readers are driven by hosts that are little-endian.
  Structure& number(std::size_t value, std::size_t size) {
    for (; size > 0; --size, value >>= 8) byte(value & 0xff);
    return *this;
  }
  /// The command that the pad completes: room for `blocks` PINs.
  Bytes with_command(const PinPad::PinBlock& block, std::size_t blocks) {
    const std::size_t size = blocks * block.padded_length;
    for (std::size_t i = 0; i < prologue_size; ++i) byte(0);
    number(5 + size, 4);
    byte(0).byte(block.ins).byte(block.p1).byte(block.p2).byte(size);
    bytes_.insert(bytes_.end(), size, block.padding);
    return std::move(bytes_);
  }

 private:
  Bytes bytes_;
};

Status check(const PinPad::PinBlock& block) {
  const bool possible = block.padded_length <= longest_block && block.min_length <= block.max_length &&
                        block.max_length <= 0xff &&
                        (block.padded_length == 0 || block.max_length <= block.padded_length);
  if (possible) return {};
  return error(Code::function_not_supported, "the reader's PIN pad cannot lay out such a PIN");
}

std::size_t length_limits(const PinPad::PinBlock& block) {
  return block.min_length << 8 | block.max_length;
}

/// Readers report what happened at the pad as status words of their own (PC/SC part 10, 2.5.2). That nobody typed is
/// CKR_FUNCTION_CANCELED for programs too (PKCS#11 3.2, 5.1.6), and no fault of the device.
Result<std::uint16_t> status_of(Result<Bytes> answer) {
  if (!answer) return std::move(answer).error();
  if (answer->size() < 2) return error(Code::device_error, "the reader answered without a status word");
  const auto status = static_cast<std::uint16_t>((*answer)[answer->size() - 2] << 8 | answer->back());
  switch (status) {
    case 0x6400:
      return error(Code::function_canceled, "no PIN was entered on the reader in time");
    case 0x6401:
      return error(Code::function_canceled, "the PIN entry was cancelled on the reader");
    case 0x6402:
      return error(Code::pin_invalid, "the new PIN was not repeated as it was entered first");
    case 0x6403:
      return error(Code::pin_length, "the PIN entered on the reader is too short or too long");
    case 0x6b80:
      return error(Code::function_not_supported, "the reader's PIN pad does not lay out such a PIN");
    default:
      return status;
  }
}

/// What the pad takes bounds what the card takes.
PinPad::PinBlock bounded(PinPad::PinBlock block, const ReaderFeatures& features) {
  block.min_length = std::max(block.min_length, features.min_pin_length);
  if (features.max_pin_length != 0) block.max_length = std::min(block.max_length, features.max_pin_length);
  return block;
}

}  // namespace

Result<Bytes> pin_verify_structure(const PinPad::PinBlock& block) {
  CARDEA_TRY(check(block));
  constexpr std::size_t messages = 1;
  Structure structure;
  structure.byte(reader_decides_timeout).byte(reader_decides_timeout);
  structure.byte(format_ascii_from_first_byte).byte(block.padded_length).byte(no_length_in_block);
  structure.number(length_limits(block), 2).byte(done_when_confirmed);
  structure.byte(messages).number(english, 2).byte(0);
  return structure.with_command(block, 1);
}

Result<Bytes> pin_modify_structure(const PinPad::PinBlock& block, PinPad::Change change) {
  CARDEA_TRY(check(block));
  const bool both = change == PinPad::Change::old_and_new;
  // Where the new PIN begins is known beforehand only when the old one has a fixed place before it. A reader that
  // guesses otherwise sends a wrong PIN, which the card counts.
  if (both && block.padded_length == 0)
    return error(Code::function_not_supported, "the reader's PIN pad changes only PINs that are padded");
  constexpr std::size_t confirm_new = 0x01;
  constexpr std::size_t ask_old = 0x02;
  // Of the reader's texts 0 asks for the PIN, 1 for the new one, and 2 for the new one again.
  const std::array<Byte, 3> texts = both ? std::array<Byte, 3>{0, 1, 2} : std::array<Byte, 3>{1, 2, 0};
  Structure structure;
  structure.byte(reader_decides_timeout).byte(reader_decides_timeout);
  structure.byte(format_ascii_from_first_byte).byte(block.padded_length).byte(no_length_in_block);
  structure.byte(0).byte(both ? block.padded_length : 0);
  structure.number(length_limits(block), 2).byte(both ? confirm_new | ask_old : confirm_new).byte(done_when_confirmed);
  structure.byte(both ? 3 : 2).number(english, 2).byte(texts[0]).byte(texts[1]).byte(texts[2]);
  return structure.with_command(block, both ? 2 : 1);
}

Result<std::uint16_t> ReaderPinPad::verify(const PinBlock& block) {
  CARDEA_ASSIGN(const Bytes structure, pin_verify_structure(bounded(block, features_)));
  return status_of(control_(features_.verify_pin, structure));
}

Result<std::uint16_t> ReaderPinPad::modify(const PinBlock& block, Change change) {
  if (!modifies()) return error(Code::function_not_supported, "the reader's pad cannot change PINs");
  CARDEA_ASSIGN(const Bytes structure, pin_modify_structure(bounded(block, features_), change));
  return status_of(control_(features_.modify_pin, structure));
}

}  // namespace cardea::card
