#include "cards/private_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "crypto/random.h"

namespace cardea::card {
namespace {

/// A file descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const noexcept { return number_; }
  bool valid() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

bool write_all(int descriptor, ByteView content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

bool ensure_private_directory(const std::filesystem::path& directory) {
  const std::filesystem::path parent = directory.parent_path();
  if (::mkdir(directory.c_str(), 0700) != 0 && errno == ENOENT && parent != directory) {
    if (!ensure_private_directory(parent)) return false;
    // Another process may have made it meanwhile; what counts is what is there now.
    static_cast<void>(::mkdir(directory.c_str(), 0700));
  }
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return false;
  return status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

std::optional<Bytes> read_private_file(const std::filesystem::path& file, std::size_t limit) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (!descriptor.valid() || ::fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != ::geteuid() || static_cast<std::size_t>(status.st_size) > limit) {
    return std::nullopt;
  }
  Bytes content(static_cast<std::size_t>(status.st_size));
  std::size_t read = 0;
  while (read < content.size()) {
    const ssize_t step = ::read(descriptor.get(), content.data() + read, content.size() - read);
    if (step < 0 && errno == EINTR) continue;
    if (step <= 0) return std::nullopt;
    read += static_cast<std::size_t>(step);
  }
  return content;
}

bool replace_private_file(const std::filesystem::path& file, ByteView content) {
  std::array<Byte, 8> random{};
  if (!crypto::random_bytes(random)) return false;
  const std::filesystem::path fresh = file.string() + "." + to_hex(random);
  const Descriptor descriptor(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!descriptor.valid()) return false;
  // Not synchronised to the disk: a cache lost in a crash costs a few exchanges with the card.
  if (write_all(descriptor.get(), content) && ::rename(fresh.c_str(), file.c_str()) == 0) return true;
  ::unlink(fresh.c_str());
  return false;
}

}  // namespace cardea::card
