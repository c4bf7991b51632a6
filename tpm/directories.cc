#include "tpm/directories.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"

namespace cardea::tpm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view new_prefix = ".new-";
constexpr std::string_view gone_prefix = ".gone-";

Code code_of_errno() {
  switch (errno) {
    case ENOSPC:
    case EDQUOT:
      return Code::device_memory;
    case EROFS:
      return Code::token_write_protected;
    case EACCES:
    case EPERM:
      return Code::permission_denied;
    default:
      return Code::device_error;
  }
}

Status sync_directory(const fs::path& directory) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return system_error("cannot open", directory);
  const bool synced = fsync(descriptor) == 0;
  close(descriptor);
  if (!synced) return system_error("cannot write", directory);
  return {};
}

Status make_directory(const fs::path& directory) {
  if (mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return system_error("cannot make", directory);
}

}  // namespace

Error system_error(const std::string& what, const fs::path& path) {
  return error(code_of_errno(), what + " " + path.string() + ": " + std::strerror(errno));
}

fs::path state_directory(const Settings& settings) {
  return settings.tpm.state_directory.empty() ? settings.home / "tpm" : settings.tpm.state_directory;
}

bool is_serial(std::string_view text) noexcept {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::string> random_serial() {
  std::array<Byte, 8> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return Code::device_error;
  return to_hex(bytes);
}

std::vector<std::string> list_cards(const fs::path& directory) {
  std::vector<std::string> serials;
  std::error_code failed;
  fs::directory_iterator entries(directory, failed);
  for (; !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
    std::string name = entries->path().filename();
    if (is_serial(name)) serials.push_back(std::move(name));
  }
  std::sort(serials.begin(), serials.end());
  return serials;
}

Status check_directory(const fs::path& directory, bool for_group) {
  struct stat status {};
  if (lstat(directory.c_str(), &status) != 0) {
    if (errno == ENOENT) return error(Code::token_absent, "there is no " + directory.string());
    return system_error("cannot look at", directory);
  }
  if (!S_ISDIR(status.st_mode)) {
    return error(Code::permission_denied, directory.string() + " is not a directory of its own");
  }
  if (status.st_uid != geteuid() && status.st_uid != 0 && !for_group) {
    return error(Code::permission_denied, directory.string() + " belongs to another user");
  }
  if ((status.st_mode & (for_group ? S_IWOTH : S_IWOTH | S_IWGRP)) != 0) {
    return error(Code::permission_denied, directory.string() + " may be written by others; run chmod go-w on it");
  }
  return {};
}

Result<NewDirectory> NewDirectory::make(const Settings& settings, const std::string& serial) {
  const fs::path directory = state_directory(settings);
  std::error_code failed;
  if (!fs::exists(directory.parent_path(), failed)) {
    fs::create_directories(directory.parent_path().parent_path(), failed);
    CARDEA_TRY(make_directory(directory.parent_path()));
  }
  CARDEA_TRY(make_directory(directory));
  CARDEA_TRY(check_directory(directory, !settings.tpm.state_directory.empty()));
  CARDEA_ASSIGN(const std::string unique, random_serial());
  fs::path path = directory / (std::string(new_prefix) + unique);
  if (mkdir(path.c_str(), 0700) != 0) return system_error("cannot make", path);
  NewDirectory fresh(std::move(path), directory / serial);
  if (settings.tpm.state_directory.empty()) return fresh;
  // Whom the administrator lets into the shared directory, into each card's as well.
  struct stat shared {};
  if (stat(directory.c_str(), &shared) != 0) return system_error("cannot look at", directory);
  if (chown(fresh.path().c_str(), static_cast<uid_t>(-1), shared.st_gid) != 0 ||
      chmod(fresh.path().c_str(), shared.st_mode & (S_ISGID | S_IRWXU | S_IRWXG)) != 0) {
    return system_error("cannot give the group its rights to", fresh.path());
  }
  return fresh;
}

NewDirectory::~NewDirectory() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Status NewDirectory::commit() {
  CARDEA_TRY(sync_directory(path_));
  if (rename(path_.c_str(), target_.c_str()) != 0) return system_error("cannot make", target_);
  path_.clear();
  return sync_directory(target_.parent_path());
}

Status remove_directory(const fs::path& directory, const std::string& serial) {
  const fs::path hidden = directory / (std::string(gone_prefix) + serial);
  if (!is_serial(serial)) return error(Code::not_found, "no virtual card has the serial number " + serial);
  if (rename((directory / serial).c_str(), hidden.c_str()) != 0) {
    if (errno == ENOENT) return error(Code::not_found, "no virtual card has the serial number " + serial);
    return system_error("cannot remove", directory / serial);
  }
  CARDEA_TRY(sync_directory(directory));
  std::error_code failed;
  fs::remove_all(hidden, failed);
  if (failed) return error(Code::device_error, "cannot empty " + hidden.string() + ": " + failed.message());
  return {};
}

}  // namespace cardea::tpm
