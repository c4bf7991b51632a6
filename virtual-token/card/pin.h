// A PIN, PUK or other reference value with its retry counter.
#pragma once

#include "base/bytes.h"
#include "base/secret.h"

namespace cardea::vcard {

struct PinState {
  SecretBytes value;    ///< as it arrives in commands, padding included
  int limit = 3;        ///< wrong tries until it blocks
  int left = 3;         ///< of them, how many remain
  bool initial = true;  ///< still the value of a new card

  bool blocked() const { return left == 0; }

  /// Compares and counts: a match restores the tries, anything else costs one. False too when blocked.
  bool check(ByteView candidate) {
    if (blocked()) return false;
    --left;
    if (!equal_in_constant_time(value.view(), candidate)) return false;
    left = limit;
    return true;
  }

  void set(ByteView fresh) {
    value = SecretBytes(fresh);
    left = limit;
    initial = false;
  }

  /// A new card's value and number of tries.
  void reset(ByteView fresh, int tries) {
    value = SecretBytes(fresh);
    limit = left = tries;
    initial = true;
  }
};

}  // namespace cardea::vcard
