#include "keystore/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "base/bytes.h"
#include "keystore/store_file.h"

namespace cardea::keystore {
namespace {

namespace fs = std::filesystem;

constexpr mode_t others = S_IRWXG | S_IRWXO;
constexpr int lock_pause_us = 2000;
constexpr int lock_tries = 15000;

Status check_rights(const fs::path& path, const struct stat& status, mode_t mode, std::vector<std::string>& problems) {
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    return error(Code::permission_denied, path.string() + " belongs to another user (" + std::to_string(status.st_uid) +
                                              "); give it to the user who runs this");
  }
  if ((status.st_mode & others) == 0) return {};
  if (status.st_uid == geteuid() && chmod(path.c_str(), status.st_mode & mode) == 0) return {};
  problems.push_back(path.string() +
                     " is open to other users and that cannot be changed from here; run chmod go= on it");
  return {};
}

}  // namespace

fs::path tokens_directory(const fs::path& home) {
  return home / "tokens";
}

Status check_directory(const fs::path& directory, std::vector<std::string>& problems) {
  struct stat status {};
  if (lstat(directory.c_str(), &status) != 0) {
    Error failure = system_error("cannot look at", directory);
    if (errno == ENOENT) failure.code = Code::token_absent;
    return failure;
  }
  if (S_ISLNK(status.st_mode)) {
    return error(Code::permission_denied, directory.string() + " is a symbolic link; name the real directory instead");
  }
  if (!S_ISDIR(status.st_mode)) return error(Code::permission_denied, directory.string() + " is not a directory");
  return check_rights(directory, status, S_IRWXU, problems);
}

Status check_token_files(const fs::path& directory, std::vector<std::string>& problems) {
  for (const std::string_view name : {database_name, counter_name, tries_name, lock_name}) {
    const fs::path file = directory / name;
    struct stat status {};
    if (lstat(file.c_str(), &status) != 0) continue;
    if (!S_ISREG(status.st_mode)) return error(Code::permission_denied, file.string() + " is not a plain file");
    CARDEA_TRY(check_rights(file, status, S_IRUSR | S_IWUSR, problems));
  }
  return {};
}

Status make_tokens_directory(const fs::path& home) {
  std::error_code failed;
  if (!fs::exists(home, failed)) {
    fs::create_directories(home.parent_path(), failed);
    CARDEA_TRY(make_directory(home));
  }
  std::vector<std::string> problems;
  CARDEA_TRY(check_directory(home, problems));
  const fs::path tokens = tokens_directory(home);
  CARDEA_TRY(make_directory(tokens));
  return check_directory(tokens, problems);
}

std::vector<std::string> list_tokens(const fs::path& home) {
  struct Entry {
    timespec born;
    std::string serial;
  };
  std::vector<Entry> found;
  std::error_code failed;
  fs::directory_iterator entries(tokens_directory(home), failed);
  for (; !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
    const std::string name = entries->path().filename();
    if (!is_serial(name)) continue;
    // The lock file is made with the token and never written, so its date tells the token's age.
    struct stat status {};
    if (stat((entries->path() / lock_name).c_str(), &status) != 0) status.st_mtim = {};
    found.push_back({status.st_mtim, name});
  }
  std::sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.born.tv_sec, a.born.tv_nsec, a.serial) < std::tie(b.born.tv_sec, b.born.tv_nsec, b.serial);
  });
  std::vector<std::string> serials;
  for (Entry& entry : found) serials.push_back(std::move(entry.serial));
  return serials;
}

Result<NewDirectory> new_token_directory(const fs::path& home, const std::string& serial) {
  CARDEA_TRY(make_tokens_directory(home));
  CARDEA_ASSIGN(NewDirectory directory, NewDirectory::make(tokens_directory(home), serial));
  const fs::path lock_file = directory.path() / lock_name;
  const int lock = open(lock_file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (lock < 0) return system_error("cannot make", lock_file);
  close(lock);
  return directory;
}

Status remove_token_directory(const fs::path& home, const std::string& serial) {
  return remove_directory(tokens_directory(home), serial, "token");
}

Result<LoginLock> LoginLock::take(const fs::path& directory) {
  const fs::path path = directory / lock_name;
  auto file = std::make_unique<ProcessFile>(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (file->number() < 0) return system_error("cannot open", path);
  for (int tried = 0; tried < lock_tries; ++tried) {
    if (flock(file->number(), LOCK_EX | LOCK_NB) == 0) return LoginLock(std::move(file));
    if (errno != EWOULDBLOCK && errno != EINTR) break;
    usleep(lock_pause_us);
  }
  return error(Code::device_error, "another process has kept the login of this token for half a minute");
}

LoginLock::~LoginLock() {
  // Said aloud: a child that is on its way to another program may still have a copy of the descriptor.
  if (file_ && file_->number() >= 0) flock(file_->number(), LOCK_UN);
}

}  // namespace cardea::keystore
