#include "cards/shared_state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "cards/private_files.h"
#include "crypto/digest.h"
#include "crypto/random.h"

namespace cardea::card {
namespace {

// The stamp stands in the first bytes; the lock is on a byte behind them.
constexpr off_t login_byte = 64;
constexpr std::chrono::milliseconds longest_wait{2500};  // a little more than what one exchange with a card may take
constexpr std::chrono::milliseconds between_tries{5};

bool lock(int descriptor, short type) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = login_byte;
  range.l_len = 1;
  return ::fcntl(descriptor, F_OFD_SETLK, &range) == 0;
}

}  // namespace

SharedState::SharedState(const std::filesystem::path& runtime_directory, ByteView identity) {
  const std::filesystem::path directory = runtime_directory / "cards";
  const Result<Bytes> name = crypto::digest(Hash::sha256, identity);
  if (!name || !ensure_private_directory(runtime_directory) || !ensure_private_directory(directory)) return;
  const std::filesystem::path file = directory / to_hex(ByteView(*name).first(16));
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

SharedState::~SharedState() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t SharedState::stamp() const {
  std::uint64_t value = 0;
  if (descriptor_ < 0 || ::pread(descriptor_, &value, sizeof value, 0) != sizeof value) return 0;
  return value;
}

std::uint64_t SharedState::stamp_anew() {
  // Random rather than counted: a file that was lost starts anew, and must not come to a number that was there before.
  std::uint64_t value = 0;
  if (!crypto::random_bytes(MutableBytes(reinterpret_cast<Byte*>(&value), sizeof value))) value = stamp() + 1;
  if (descriptor_ < 0 || ::pwrite(descriptor_, &value, sizeof value, 0) != sizeof value) return stamp();
  return value;
}

void SharedState::enter() {
  if (descriptor_ < 0) return;
  const auto deadline = std::chrono::steady_clock::now() + longest_wait;
  while (!lock(descriptor_, F_RDLCK) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(between_tries);
  }
}

bool SharedState::become_only_one() {
  return descriptor_ < 0 || lock(descriptor_, F_WRLCK);
}

void SharedState::count_out() {
  if (descriptor_ >= 0) lock(descriptor_, F_UNLCK);
}

}  // namespace cardea::card
