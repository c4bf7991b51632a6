// Directories that are named by serial numbers, one for each token that is kept on disk: made whole or not at all, and
// removed in one step.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cardea {

/// Sixteen hexadecimal digits, as a token's serial number and the name of its directory.
bool is_serial(std::string_view text) noexcept;
Result<std::string> random_serial();

/// What errno says, with the code that fits: device_memory, token_write_protected, permission_denied or device_error.
Error system_error(const std::string& what, const std::filesystem::path& path);
/// Has the names in a directory on disk.
Status sync_directory(const std::filesystem::path& directory);
/// With mode 0700, unless it is there.
Status make_directory(const std::filesystem::path& directory);

/// A hidden directory in which a new token is built. Removed again unless committed.
class NewDirectory {
 public:
  /// Beside the other tokens' in `parent`. Also removes there what killed processes have left.
  static Result<NewDirectory> make(const std::filesystem::path& parent, const std::string& serial);
  NewDirectory(NewDirectory&& other) noexcept;
  NewDirectory& operator=(NewDirectory&&) = delete;
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  ~NewDirectory();

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Makes it the token's directory, in one step and on disk.
  Status commit();

 private:
  NewDirectory(std::filesystem::path path, std::filesystem::path target)
      : path_(std::move(path)), target_(std::move(target)) {}
  std::filesystem::path path_;
  std::filesystem::path target_;
};

/// Removes a token's directory: hidden in one step, then emptied. not_found, permission_denied. `kind` names what it is
/// of ("token").
Status remove_directory(const std::filesystem::path& parent, const std::string& serial, std::string_view kind);

}  // namespace cardea
