// A card without hardware: what it answers to a command, byte by byte.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "card/apdu.h"
#include "card/applet.h"
#include "card/card_state.h"

namespace cardea::vcard {

class VirtualCard {
 public:
  /// Writes the state to where it survives; called before a command that changed it is answered.
  using Save = std::function<Status(const CardState&)>;

  explicit VirtualCard(CardState state, Save save = {});
  ~VirtualCard();
  VirtualCard(const VirtualCard&) = delete;
  VirtualCard& operator=(const VirtualCard&) = delete;

  /// Answer to reset (ISO/IEC 7816-3, 8.2).
  Bytes atr() const;
  /// Power on or warm reset: nothing is selected, verified or half sent any more.
  void reset();
  /// One command APDU in, one response APDU out. Never fails; nonsense gets a status word.
  Bytes exchange(ByteView apdu);

  /// A card that knows short lengths only and says so in its ATR.
  void set_short_only(bool yes) { short_only_ = yes; }
  /// A card that answers 6Cxx whenever Le is not exactly what there is (ISO/IEC 7816-4, 5.6).
  void set_exact_length(bool yes) { exact_length_ = yes; }

  /// Whether this command would wait for a touch on a card that has a sensor. The last piece of a chain does.
  bool wants_touch(ByteView apdu) const;

  CardState& state() { return *state_; }

 private:
  Response dispatch(Command& command);
  Response collect_chain(Command& command);
  Response run(const Command& command);
  Response repeat_or_dispatch(Command& command);
  Response select(const Command& command);
  Response get_response(const Command& command);
  Response deliver(const Command& command, Response response);

  std::unique_ptr<CardState> state_;
  Save save_;
  std::unique_ptr<Applet> applet_;
  bool selected_ = false;
  bool short_only_ = false;
  bool exact_length_ = false;
  Bytes chain_;  ///< data of a command that is still being chained
  bool chaining_ = false;
  std::uint32_t chain_header_ = 0;
  Bytes pending_;  ///< response data that GET RESPONSE fetches
  StatusWord pending_status_ = sw::ok;
  Bytes asked_;                 ///< with exact_length_: the command that 6Cxx answered
  Response answered_ = sw::ok;  ///< and what its repetition gets, without being carried out twice
};

}  // namespace cardea::vcard
