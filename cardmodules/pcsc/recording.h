// A conversation with a card as a text file: for bug reports, played back as a virtual card (replay_channel.h).
//
//   cardea-recording 1
//   reader Yubico YubiKey OTP+FIDO+CCID 00 00
//   atr 3bfd1300008131fe158073c021c057597562694b657940
//   begin reset
//   exchange 00a4040005a000000308 61114f06…9000 1532
//   exchange 0020008008<8> 9000 20411
//   failure 00cb3fff055c035fc10500 timed_out 1700012
//
// Bytes are hexadecimal; "<8>" stands for eight bytes that were secret. The number at the end is the duration in
// microseconds. "begin" and "begin reset" mark transactions. Lines that begin with "#" are remarks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pcsc/apdu_trace.h"

namespace cardea::card {

/// Bytes of which a part may be unknown.
struct RecordedBytes {
  Bytes bytes;                  ///< zeros where they are unknown
  std::size_t hidden_at = 0;    ///< where the unknown part begins
  std::size_t hidden_size = 0;  ///< 0: all is known

  /// Whether these bytes could have been recorded so.
  bool matches(ByteView other) const;
};

struct RecordedExchange {
  RecordedBytes command;
  RecordedBytes answer;         ///< with its status word
  std::optional<Code> failure;  ///< device_removed, timed_out or device_error instead of an answer
  std::chrono::microseconds duration{};
};

struct Recording {
  std::string reader;
  Bytes atr;
  std::vector<RecordedExchange> exchanges;
};

/// Reads a recording; data_invalid with the number of the line that is wrong, store_newer for a later version's.
Result<Recording> parse_recording(std::string_view text);

/// Writes a recording, line by line, as it happens. One card, one recording: its channel's observer.
ApduObserverPtr recorder(std::string reader, LineSink sink);

}  // namespace cardea::card
