// What a card's answer to reset says about the length of APDUs.
#pragma once

#include <optional>

#include "pcsc/card_channel.h"

namespace cardea::card {

/// The historical bytes of an answer to reset (ISO 7816-3, 8.2.5); empty when it is malformed or has none.
ByteView historical_bytes(ByteView atr);

/// The third software function table of the card capabilities (ISO 7816-4, 8.1.1.2.7): bit 8 command chaining, bit 7
/// extended length. Empty when the card does not tell.
std::optional<Byte> third_capabilities(ByteView historical);

/// Limits for a card with that answer to reset. Extended length only where the card says so: that others take it is
/// for their module to say (CardTransaction::allow_extended). `reader_takes_extended`: false also for protocol T=0.
ApduLimits limits_of(ByteView atr, bool reader_takes_extended);

}  // namespace cardea::card
