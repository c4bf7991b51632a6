// Finds the slots of one token kind and tells when tokens come and go.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "token/token.h"

namespace cardea {

/// One place for a token: a reader, a TPM, or a keystore entry.
struct SlotDescription {
  std::string description;   ///< at most 64 bytes
  std::string manufacturer;  ///< at most 32 bytes
  bool removable = false;
  bool hardware = false;
};

/// A slot as its source presents it. Lives as long as the source.
class TokenSlot {
 public:
  virtual ~TokenSlot() = default;
  /// Stable while the process lives, and over restarts for the same token where the kind allows it.
  virtual std::string key() const = 0;
  virtual SlotDescription describe() const = 0;
  /// The token in the slot; token_absent, token_not_recognized, or why it cannot be used.
  virtual Result<TokenPtr> token() = 0;
  /// A number that tells one token in the slot from the next, 0 when there is none, without asking the token anything:
  /// one of an unknown kind has a number too.
  virtual std::uint64_t occupant() {
    const Result<TokenPtr> present = token();
    if (!present) return present.code() == Code::token_absent ? 0 : 1;
    return reinterpret_cast<std::uintptr_t>(present->get());
  }
};
using TokenSlotPtr = std::shared_ptr<TokenSlot>;

/// Called from any thread when slots or tokens have changed.
using ChangeListener = std::function<void()>;

class TokenSource {
 public:
  virtual ~TokenSource() = default;
  /// The slots at present. Those seen before are the same objects; new ones come last.
  virtual std::vector<TokenSlotPtr> slots() = 0;
  /// Starts to report changes (C_WaitForSlotEvent); stops when null. Needs no thread where nothing ever changes.
  virtual void listen(ChangeListener listener) = 0;
};

}  // namespace cardea
