// One APDU on its way to a card (ISO 7816-4, 5.1), and how traces show it.
#pragma once

#include <optional>
#include <string>

#include "pcsc/apdu.h"

namespace cardea::card {

inline constexpr std::size_t short_command_data = 255;
inline constexpr std::size_t short_answer_data = 256;
inline constexpr std::size_t extended_command_data = 65535;
inline constexpr std::size_t extended_answer_data = 65536;
/// Set in CLA of every APDU of a chain but the last (ISO 7816-4, 5.1.1.1).
inline constexpr Byte chaining_bit = 0x10;

/// An APDU cut to size. Short: at most 255 bytes of data, 256 of answer; extended: 65535 and 65536.
struct Apdu {
  Byte cla = 0;
  Byte ins = 0;
  Byte p1 = 0;
  Byte p2 = 0;
  ByteView data = {};
  std::optional<std::size_t> le = {};  ///< bytes expected, from 1; empty: no answer but the status word
  bool extended = false;
};

/// The bytes on the wire: cases 1, 2, 3 or 4, short or extended (ISO 7816-4, 5.1, table 1).
SecretBytes encode(const Apdu& apdu);

/// Where the data of a command on the wire begins and how long it is; empty when it has none or is malformed.
ByteView command_data(ByteView wire);

/// Whether the data of commands with that instruction is a PIN or PUK, whoever sends them: VERIFY, CHANGE REFERENCE
/// DATA, RESET RETRY COUNTER, and the even/odd twin of VERIFY (ISO 7816-4, 11.6).
bool carries_pin(Byte ins) noexcept;

/// Hexadecimal with `secret`, a part of `bytes`, replaced by "<n>".
std::string redacted_hex(ByteView bytes, ByteView secret);

}  // namespace cardea::card
