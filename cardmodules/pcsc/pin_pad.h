// A reader's PIN pad (PC/SC part 10, 2.5.2 and 2.5.3).
#pragma once

#include <functional>

#include "pcsc/card_channel.h"
#include "pcsc/reader_features.h"

namespace cardea::card {

/// PIN_VERIFY and PIN_MODIFY structures for ASCII PINs; function_not_supported for layouts that they cannot express.
Result<Bytes> pin_verify_structure(const PinPad::PinBlock& block);
Result<Bytes> pin_modify_structure(const PinPad::PinBlock& block, PinPad::Change change);

/// The pad behind a way to send control codes, which must outlive it.
class ReaderPinPad final : public PinPad {
 public:
  using Control = std::function<Result<Bytes>(std::uint32_t code, ByteView input)>;

  ReaderPinPad(ReaderFeatures features, Control control) : features_(features), control_(std::move(control)) {}
  Result<std::uint16_t> verify(const PinBlock& block) override;
  Result<std::uint16_t> modify(const PinBlock& block, Change change) override;
  bool modifies() const override { return features_.modify_pin != 0; }

 private:
  const ReaderFeatures features_;
  const Control control_;
};

}  // namespace cardea::card
