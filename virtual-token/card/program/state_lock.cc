#include "card_program/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <utility>

namespace cardea::vcard {

Result<StateLock> StateLock::take(const std::filesystem::path& state_file) {
  const std::string name = state_file.string() + ".lock";
  // The state file itself cannot be locked: each change replaces it.
  const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return error(Code::permission_denied, name);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return error(Code::exists, "another process works with the card in " + state_file.string());
  }
  return StateLock(descriptor);
}

StateLock::StateLock(StateLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

StateLock& StateLock::operator=(StateLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

StateLock::~StateLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace cardea::vcard
