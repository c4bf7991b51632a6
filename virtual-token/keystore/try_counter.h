// How many wrong PINs were tried in a row. Kept in a file of its own beside the database: a login that only counts its
// try then writes sixteen bytes in place and waits for the disk once, instead of leaving a log that the next process
// has to read.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "token/token.h"

namespace cardea::keystore {

/// Two numbers of eight bytes, little-endian: the user's and the security officer's. Callers hold the LoginLock while
/// they count; anybody may look.
class TryCounter {
 public:
  explicit TryCounter(std::filesystem::path file) : file_(std::move(file)) {}

  /// 0 also where the file is missing or damaged: who can do that to it could as well write a 0.
  int tries(Role role) const;
  /// Makes the file where it is missing. With `durable` it is on disk when this returns. device_error, device_memory,
  /// permission_denied.
  Status set(Role role, int tries, bool durable) const;

 private:
  std::filesystem::path file_;
};

}  // namespace cardea::keystore
