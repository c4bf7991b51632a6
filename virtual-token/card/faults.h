// Faults that a virtual card shows on request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "card/apdu_log.h"
#include "card/virtual_card.h"

namespace cardea::vcard {

enum class FaultKind : std::uint8_t {
  pull,      ///< the card is taken out instead of answering
  mute,      ///< no answer, to this command and all later ones
  status,    ///< a status word instead of the answer; the card does not see the command
  garbage,   ///< random bytes instead of the answer; the card does not see the command
  truncate,  ///< half of the answer's data field, with the right status word
  forget,    ///< the card loses power unnoticed before the command, as after a reset by another application
};

/// A fault at the n-th command from now on, counted from 1.
struct Fault {
  FaultKind kind = FaultKind::mute;
  std::uint64_t at = 1;
  StatusWord status = sw::unknown_failure;
};

/// "pull@3", "mute@1", "status@2=6A82", "garbage@1", "truncate@1", "forget@4". Codes: arguments_bad.
Result<Fault> parse_fault(std::string_view text);

/// What became of a command.
struct Outcome {
  enum class Kind { answered, silent, pulled };
  Kind kind = Kind::answered;
  Bytes response;
};

/// The way to a card: counts, records and spoils exchanges.
class CardChannel {
 public:
  explicit CardChannel(VirtualCard& card) : card_(card) {}

  Outcome exchange(ByteView command);
  /// Counts and records a command that the card does not get to see.
  Outcome refuse(ByteView command, StatusWord status);
  /// Power on or reset. A mute card stays mute; it has to be pulled.
  void reset();
  /// Taken out: the card can speak again when it is put back in.
  void pulled() { mute_ = false; }

  void add_fault(const Fault& fault);
  /// Back to a sound card.
  void clear_faults();

  std::uint64_t count() const { return count_; }  ///< commands since the start, GET RESPONSE included
  ApduLog& log() { return log_; }

 private:
  Outcome answer(ByteView command);
  Outcome spoil(const Fault& fault, ByteView command);

  VirtualCard& card_;
  ApduLog log_;
  std::vector<Fault> faults_;  ///< `at` counted from the start
  std::uint64_t count_ = 0;
  bool mute_ = false;
};

}  // namespace cardea::vcard
