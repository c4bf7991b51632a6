// An application on a card.
#pragma once

#include "base/bytes.h"
#include "card/apdu.h"

namespace cardea::vcard {

class Applet {
 public:
  virtual ~Applet() = default;

  /// Whether SELECT with this name, possibly cut off at the right, means this application.
  virtual bool answers_to(ByteView name) const = 0;
  /// Handles SELECT by name. `again`: it was already selected.
  virtual Response select(const Command& command, bool again) = 0;
  /// Handles any other command; command chaining is already undone.
  virtual Response process(const Command& command) = 0;
  /// Forgets everything that a card without power forgets.
  virtual void reset() = 0;
  /// Whether a card with a touch sensor would wait for a touch before it handles this command.
  virtual bool wants_touch(const Command&) const { return false; }
  /// Whether the state changed since the last call, so that it has to be written.
  virtual bool take_changed() = 0;
};

}  // namespace cardea::vcard
