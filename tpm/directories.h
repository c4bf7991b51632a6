// The directories of virtual cards: made, checked, listed, removed.
//
//   <state directory>/<serial>/card.sqlite   see state_file.h
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"

namespace cardea::tpm {

/// Settings::tpm.state_directory, or "tpm" under the home.
std::filesystem::path state_directory(const Settings& settings);

/// Sixteen hexadecimal digits.
bool is_serial(std::string_view text) noexcept;
Result<std::string> random_serial();

/// Serial numbers of the cards in a state directory in ascending order; none when there is no such directory.
std::vector<std::string> list_cards(const std::filesystem::path& directory);

/// What errno says, with the code that fits: device_memory, token_write_protected, permission_denied or device_error.
Error system_error(const std::string& what, const std::filesystem::path& path);

/// Refuses a directory that is a symbolic link, belongs to a stranger, or that others may write, with
/// permission_denied. The group may, where the settings name the directory: that is how services share one.
Status check_directory(const std::filesystem::path& directory, bool for_group);

/// A hidden directory in which a new card is built. Removed again unless committed.
class NewDirectory {
 public:
  static Result<NewDirectory> make(const Settings& settings, const std::string& serial);
  NewDirectory(NewDirectory&& other) noexcept
      : path_(std::exchange(other.path_, {})), target_(std::move(other.target_)) {}
  NewDirectory& operator=(NewDirectory&&) = delete;
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  ~NewDirectory();

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Makes it the card's directory, in one step and on disk.
  Status commit();

 private:
  NewDirectory(std::filesystem::path path, std::filesystem::path target)
      : path_(std::move(path)), target_(std::move(target)) {}
  std::filesystem::path path_;
  std::filesystem::path target_;
};

/// Removes a card's directory: hidden in one step, then emptied. not_found, permission_denied.
Status remove_directory(const std::filesystem::path& directory, const std::string& serial);

}  // namespace cardea::tpm
