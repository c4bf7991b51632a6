#include "tpm/directories.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cardea::tpm {
namespace {

namespace fs = std::filesystem;

}  // namespace

fs::path state_directory(const Settings& settings) {
  return settings.tpm.state_directory.empty() ? settings.home / "tpm" : settings.tpm.state_directory;
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

Result<NewDirectory> new_card_directory(const Settings& settings, const std::string& serial) {
  const fs::path directory = state_directory(settings);
  std::error_code failed;
  if (!fs::exists(directory.parent_path(), failed)) {
    fs::create_directories(directory.parent_path().parent_path(), failed);
    CARDEA_TRY(make_directory(directory.parent_path()));
  }
  CARDEA_TRY(make_directory(directory));
  CARDEA_TRY(check_directory(directory, !settings.tpm.state_directory.empty()));
  CARDEA_ASSIGN(NewDirectory fresh, NewDirectory::make(directory, serial));
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

}  // namespace cardea::tpm
