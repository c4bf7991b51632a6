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

namespace cardea::keystore {

/// Sixteen hexadecimal digits, as a token's serial number and the name of its directory.
bool is_serial(std::string_view text) noexcept;
Result<std::string> random_serial();

/// What errno says, with the code that fits: device_memory, token_write_protected, permission_denied or device_error.
Error system_error(const std::string& what, const std::filesystem::path& path);
/// Has the names in a directory on disk.
Status sync_directory(const std::filesystem::path& directory);

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

/// A hidden directory beside the tokens in which a new one is built. Removed again unless committed.
class NewTokenDirectory {
 public:
  static Result<NewTokenDirectory> make(const std::filesystem::path& home, const std::string& serial);
  NewTokenDirectory(NewTokenDirectory&& other) noexcept;
  NewTokenDirectory& operator=(NewTokenDirectory&&) = delete;
  NewTokenDirectory(const NewTokenDirectory&) = delete;
  NewTokenDirectory& operator=(const NewTokenDirectory&) = delete;
  ~NewTokenDirectory();

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Makes it the token's directory, in one step and on disk.
  Status commit();

 private:
  NewTokenDirectory(std::filesystem::path path, std::filesystem::path target)
      : path_(std::move(path)), target_(std::move(target)) {}
  std::filesystem::path path_;
  std::filesystem::path target_;
};

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
