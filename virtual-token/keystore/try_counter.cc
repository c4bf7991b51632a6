#include "keystore/try_counter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>

#include "keystore/files.h"

namespace cardea::keystore {
namespace {

constexpr std::size_t number_size = 8;
constexpr off_t file_size = 2 * number_size;
using Number = std::array<Byte, number_size>;

off_t place_of(Role role) {
  return role == Role::security_officer ? number_size : 0;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const noexcept { return number_; }

 private:
  int number_;
};

/// Space on the disk for both numbers, so that counting later needs none.
bool reserve(int file) {
  struct stat status {};
  if (fstat(file, &status) != 0) return false;
  if (status.st_size >= file_size) return true;
  errno = posix_fallocate(file, 0, file_size);
  return errno == 0 && fsync(file) == 0;
}

}  // namespace

int TryCounter::tries(Role role) const {
  const Descriptor file(open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  Number bytes{};
  if (pread(file.number(), bytes.data(), number_size, place_of(role)) != static_cast<ssize_t>(number_size)) return 0;
  std::uint64_t number = 0;
  for (std::size_t i = number_size; i-- > 0;) number = number << 8 | bytes[i];
  return number > std::numeric_limits<int>::max() / 2 ? 0 : static_cast<int>(number);
}

Status TryCounter::set(Role role, int tries, bool durable) const {
  const bool fresh = access(file_.c_str(), F_OK) != 0;
  const Descriptor file(open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.number() < 0 || !reserve(file.number())) return system_error("cannot count tries of PINs in", file_);
  if (fresh) CARDEA_TRY(sync_directory(file_.parent_path()));
  Number bytes{};
  for (std::size_t i = 0; i < number_size; ++i)
    bytes[i] = static_cast<Byte>(static_cast<std::uint64_t>(tries) >> 8 * i);
  if (pwrite(file.number(), bytes.data(), number_size, place_of(role)) != static_cast<ssize_t>(number_size) ||
      (durable && fdatasync(file.number()) != 0)) {
    return system_error("cannot count tries of PINs in", file_);
  }
  return {};
}

}  // namespace cardea::keystore
