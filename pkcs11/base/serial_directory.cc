#include "base/serial_directory.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/bytes.h"

namespace cardea {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view new_prefix = ".new-";
constexpr std::string_view gone_prefix = ".gone-";
// Building a token takes a fraction of a second; what is an hour old was left by a killed process.
constexpr std::time_t leftover_age = 3600;

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

void remove_leftovers(const fs::path& parent) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(parent, failed)) {
    const std::string name = entry.path().filename();
    struct stat status {};
    if (!name.starts_with(new_prefix) && !name.starts_with(gone_prefix)) continue;
    if (lstat(entry.path().c_str(), &status) != 0 || status.st_mtime > std::time(nullptr) - leftover_age) continue;
    std::error_code ignored;
    fs::remove_all(entry.path(), ignored);
  }
}

Error no_such(std::string_view kind, const std::string& serial) {
  return error(Code::not_found, "no " + std::string(kind) + " has the serial number " + serial);
}

}  // namespace

bool is_serial(std::string_view text) noexcept {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::string> random_serial() {
  // From the kernel, because a serial is no secret: a process that only looks at its tokens need not start OpenSSL.
  std::array<Byte, 8> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return Code::device_error;
  return to_hex(bytes);
}

Error system_error(const std::string& what, const fs::path& path) {
  return error(code_of_errno(), what + " " + path.string() + ": " + std::strerror(errno));
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

Result<NewDirectory> NewDirectory::make(const fs::path& parent, const std::string& serial) {
  remove_leftovers(parent);
  CARDEA_ASSIGN(const std::string unique, random_serial());
  fs::path path = parent / (std::string(new_prefix) + unique);
  if (mkdir(path.c_str(), 0700) != 0) return system_error("cannot make", path);
  return NewDirectory(std::move(path), parent / serial);
}

NewDirectory::NewDirectory(NewDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), target_(std::move(other.target_)) {}

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

Status remove_directory(const fs::path& parent, const std::string& serial, std::string_view kind) {
  const fs::path hidden = parent / (std::string(gone_prefix) + serial);
  if (!is_serial(serial)) return no_such(kind, serial);
  if (rename((parent / serial).c_str(), hidden.c_str()) != 0) {
    return errno == ENOENT ? no_such(kind, serial) : system_error("cannot remove", parent / serial);
  }
  CARDEA_TRY(sync_directory(parent));
  std::error_code failed;
  fs::remove_all(hidden, failed);
  if (failed) return error(Code::device_error, "cannot empty " + hidden.string() + ": " + failed.message());
  return {};
}

}  // namespace cardea
