#include "keystore/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/bytes.h"
#include "keystore/store_file.h"

namespace cardea::keystore {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view new_prefix = ".new-";
constexpr std::string_view gone_prefix = ".gone-";
constexpr mode_t others = S_IRWXG | S_IRWXO;
constexpr int lock_pause_us = 2000;
constexpr int lock_tries = 15000;
// Building a token takes a fraction of a second; what is an hour old was left by a killed process.
constexpr std::time_t leftover_age = 3600;

Error error_at(Code code, const std::string& what, const fs::path& path) {
  return error(code, what + " " + path.string() + ": " + std::strerror(errno));
}

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

void remove_leftovers(const fs::path& tokens) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(tokens, failed)) {
    const std::string name = entry.path().filename();
    struct stat status {};
    if (!name.starts_with(new_prefix) && !name.starts_with(gone_prefix)) continue;
    if (lstat(entry.path().c_str(), &status) != 0 || status.st_mtime > std::time(nullptr) - leftover_age) continue;
    std::error_code ignored;
    fs::remove_all(entry.path(), ignored);
  }
}

Status make_directory(const fs::path& directory) {
  if (mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return system_error("cannot make", directory);
}

}  // namespace

Error system_error(const std::string& what, const fs::path& path) {
  return error_at(code_of_errno(), what, path);
}

Status sync_directory(const fs::path& directory) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return system_error("cannot open", directory);
  const bool synced = fsync(descriptor) == 0;
  close(descriptor);
  if (!synced) return system_error("cannot write", directory);
  return {};
}

bool is_serial(std::string_view text) noexcept {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::string> random_serial() {
  // From the kernel, because a serial is no secret: a process that only looks at its tokens need not start OpenSSL.
  std::array<Byte, 8> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return Code::device_error;
  return to_hex(bytes);
}

fs::path tokens_directory(const fs::path& home) {
  return home / "tokens";
}

Status check_directory(const fs::path& directory, std::vector<std::string>& problems) {
  struct stat status {};
  if (lstat(directory.c_str(), &status) != 0) {
    const Code code = errno == ENOENT ? Code::token_absent : code_of_errno();
    return error_at(code, "cannot look at", directory);
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

Result<NewTokenDirectory> NewTokenDirectory::make(const fs::path& home, const std::string& serial) {
  CARDEA_TRY(make_tokens_directory(home));
  const fs::path tokens = tokens_directory(home);
  remove_leftovers(tokens);
  CARDEA_ASSIGN(const std::string unique, random_serial());
  const fs::path path = tokens / (std::string(new_prefix) + unique);
  if (mkdir(path.c_str(), 0700) != 0) return system_error("cannot make", path);
  NewTokenDirectory directory(path, tokens / serial);
  const int lock = open((path / lock_name).c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (lock < 0) return system_error("cannot make", path / lock_name);
  close(lock);
  return directory;
}

NewTokenDirectory::NewTokenDirectory(NewTokenDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), target_(std::move(other.target_)) {}

NewTokenDirectory::~NewTokenDirectory() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Status NewTokenDirectory::commit() {
  CARDEA_TRY(sync_directory(path_));
  if (rename(path_.c_str(), target_.c_str()) != 0) return system_error("cannot make", target_);
  path_.clear();
  return sync_directory(target_.parent_path());
}

Status remove_token_directory(const fs::path& home, const std::string& serial) {
  const fs::path tokens = tokens_directory(home);
  const fs::path hidden = tokens / (std::string(gone_prefix) + serial);
  if (!is_serial(serial)) return error(Code::not_found, "no token has the serial number " + serial);
  if (rename((tokens / serial).c_str(), hidden.c_str()) != 0) {
    if (errno == ENOENT) return error(Code::not_found, "no token has the serial number " + serial);
    return system_error("cannot remove", tokens / serial);
  }
  CARDEA_TRY(sync_directory(tokens));
  std::error_code failed;
  fs::remove_all(hidden, failed);
  if (failed) return error(Code::device_error, "cannot empty " + hidden.string() + ": " + failed.message());
  return {};
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
