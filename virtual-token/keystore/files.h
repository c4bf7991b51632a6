// The directories of the keystore: made, checked, put right, renamed and removed.
//
//   <home>/tokens/<serial>/store.sqlite   the database (and its -wal and -shm while open)
//                          generation     change_counter.h
//                          tries          try_counter.h
//                          lock           taken while a PIN is tried
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/process_file.h"
#include "base/result.h"
#include "base/serial_directory.h"

namespace cardea::keystore {

std::filesystem::path tokens_directory(const std::filesystem::path& home);

/// Refuses a directory that is a symbolic link or belongs to someone else (other than root) with permission_denied;
/// takes rights of group and others away where it is ours, and otherwise adds a sentence to `problems`.
Status check_directory(const std::filesystem::path& directory, std::vector<std::string>& problems);
/// The same for the files of a token's directory.
Status check_token_files(const std::filesystem::path& directory, std::vector<std::string>& problems);

/// Makes home and tokens directory with mode 0700 where absent and checks them.
Status make_tokens_directory(const std::filesystem::path& home);

/// Serials of the tokens in a home, oldest first. None when there is no home.
std::vector<std::string> list_tokens(const std::filesystem::path& home);

/// A hidden directory beside the tokens in which a new one is built.
Result<NewDirectory> new_token_directory(const std::filesystem::path& home, const std::string& serial);

/// Removes a token's directory: hidden in one step, then emptied. not_found, permission_denied.
Status remove_token_directory(const std::filesystem::path& home, const std::string& serial);

/// A lock that processes and threads take in turn while they try a PIN, so that right PINs tried at the same moment do
/// not add up in the counter of wrong ones. It ends with the process that took it, children or not.
class LoginLock {
 public:
  /// Waits up to half a minute; device_error in words after that.
  static Result<LoginLock> take(const std::filesystem::path& directory);
  LoginLock(LoginLock&&) noexcept = default;
  LoginLock& operator=(LoginLock&&) = delete;
  ~LoginLock();

 private:
  explicit LoginLock(std::unique_ptr<ProcessFile> file) : file_(std::move(file)) {}
  std::unique_ptr<ProcessFile> file_;
};

}  // namespace cardea::keystore
