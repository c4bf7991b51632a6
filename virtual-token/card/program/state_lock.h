// One process at a time works on a card's state file.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace cardea::vcard {

/// Holds an advisory lock on FILE.lock until destroyed; the empty lock file stays.
class StateLock {
 public:
  /// Codes: exists when another process has the card, permission_denied.
  static Result<StateLock> take(const std::filesystem::path& state_file);

  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&& other) noexcept;
  ~StateLock();

 private:
  explicit StateLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace cardea::vcard
