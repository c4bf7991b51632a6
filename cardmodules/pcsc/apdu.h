// Commands to cards and their answers (ISO 7816-4, 5.1), before and after they are cut to what a card and reader take.
#pragma once

#include <chrono>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea::card {

/// How long a card may take for one APDU before it counts as mute. Together with what else a call does, a call to a
/// mute card returns within two seconds. Key generation, touch and the like say how long they may take
/// (Command::patience).
inline constexpr std::chrono::milliseconds usual_patience{1700};

/// A command as a card module means it: data of any length, the whole answer. How it travels (short, extended, chained,
/// GET RESPONSE) is the transaction's business.
struct Command {
  Byte cla = 0;
  Byte ins = 0;
  Byte p1 = 0;
  Byte p2 = 0;
  ByteView data = {};
  bool expects_data = true;    ///< whether the card will answer more than a status word (Le)
  bool secret_data = false;    ///< PIN, PUK or key in `data`: traces show its length only
  bool secret_answer = false;  ///< a decrypted secret in the answer: the same
  std::chrono::milliseconds patience = usual_patience;
};

/// What a card answered. The data is wiped at the end, since it may be a decrypted secret.
struct Response {
  Response() = default;
  Response(Bytes bytes, std::uint16_t sw) : data(std::move(bytes)), status(sw) {}
  Response(Response&&) noexcept = default;
  Response& operator=(Response&&) noexcept = default;
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;
  ~Response() { wipe(data); }

  bool ok() const noexcept { return status == 0x9000; }

  Bytes data;
  std::uint16_t status = 0;  ///< SW1 SW2
};

/// What a status word means as an error (ISO 7816-4, tables 5 and 6): 63Cx pin_incorrect with tries left, 6983
/// pin_locked, 6982 user_not_logged_in, 6A82/6A88 not_found, 6A84 device_memory, 6700 data_length, 6A80 data_invalid,
/// 6D00/6E00/6A81 function_not_supported … device_error for the rest; the detail names the word and says what the card
/// means by it. 9000 is no error and answers `internal`. `where`: whom logs name.
Error status_error(std::uint16_t status, SourcePlace where = SourcePlace::here());

}  // namespace cardea::card
