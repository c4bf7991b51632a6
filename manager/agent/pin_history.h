// Which PINs a token had before, for the rule against taking them again. Kept on the user's machine and nowhere else:
// a short PIN can be found from any hash of it, so the hash must not go to a server where all of them lie together.
// Only PINs that were replaced are kept, never the one in use, so that a stolen file opens no token.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace cardea::agent {

/// One file a token in this directory, readable by its user alone: salted Argon2id hashes (RFC 9106), the newest first.
class PinHistory {
 public:
  explicit PinHistory(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Whether the PIN is one of the last `depth` that were replaced. store_corrupt, permission_denied.
  Result<bool> contains(const std::string& token, const Pin& pin, std::size_t depth) const;
  /// Remembers a PIN that is replaced, once where it is the newest already, and forgets those beyond `depth`.
  /// permission_denied, device_memory.
  Status add(const std::string& token, const Pin& replaced, std::size_t depth) const;

 private:
  std::filesystem::path file_of(const std::string& token) const;

  std::filesystem::path directory_;
};

}  // namespace cardea::agent
