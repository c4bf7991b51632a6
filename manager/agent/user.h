// The person at the token.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace cardea::agent {

/// Errors: function_canceled when the person gives up, user_not_logged_in when nobody can be asked.
class User {
 public:
  virtual ~User() = default;
  /// One line of progress.
  virtual void tell(std::string_view line) = 0;
  /// The PIN of a token. `refused`: the token did not take the one before.
  virtual Result<Pin> present_pin(std::string_view token, bool refused) = 0;
  /// The PIN of a token that the next wrong one locks, typed by a person who was told so. Nothing that stands in a file
  /// is taken: whoever cannot ask refuses with pin_incorrect, and the try is not used.
  virtual Result<Pin> present_last_pin(std::string_view token) = 0;
  /// Has the person type the PIN on the reader's own pad; `last` as present_last_pin(). False: the PIN is to be had
  /// otherwise, and present_pin() or present_last_pin() tells it.
  virtual Result<bool> turn_to_pad(std::string_view token, bool refused, bool last) = 0;
  /// A PIN to be set. `rules`: a sentence about what it must be like; `problem`: why the one before is not; empty at
  /// first.
  virtual Result<Pin> new_pin(std::string_view token, std::string_view rules, std::string_view problem) = 0;
  /// Shows a PIN that was made for the person, once.
  virtual Status show_pin(std::string_view token, const Pin& pin) = 0;
};

}  // namespace cardea::agent
