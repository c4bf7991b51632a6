// Commands and responses as ISO/IEC 7816-4, 5.1 encodes them, short and extended.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/result.h"
#include "card/status_word.h"

namespace cardea::vcard {

/// A command APDU, taken apart.
struct Command {
  Byte cla = 0;
  Byte ins = 0;
  Byte p1 = 0;
  Byte p2 = 0;
  Bytes data;                ///< the command data field
  std::size_t expected = 0;  ///< Ne, most response bytes wanted; 0 when the command has no Le field
  bool extended = false;     ///< lengths were encoded in the extended form

  std::uint16_t p1p2() const { return static_cast<std::uint16_t>(p1 << 8 | p2); }
  bool chained() const { return (cla & 0x10) != 0; }  ///< more of this command follows (ISO/IEC 7816-4, 5.1.1.1)
};

/// What a card answers.
struct Response {
  StatusWord status = sw::ok;
  Bytes data;

  Response(StatusWord word) : status(word) {}        // NOLINT(google-explicit-constructor)
  Response(Bytes bytes) : data(std::move(bytes)) {}  // NOLINT(google-explicit-constructor)
  Response(Bytes bytes, StatusWord word) : status(word), data(std::move(bytes)) {}
};

/// Takes a command apart. Codes: data_length when the lengths contradict each other.
Result<Command> parse_command(ByteView apdu);

/// Data field and status word as they travel.
Bytes encode_response(const Response& response);

}  // namespace cardea::vcard
