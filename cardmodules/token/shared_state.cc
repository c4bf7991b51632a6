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

// The stamp stands in the first bytes; the locks are on bytes behind them.
constexpr off_t login_byte = 64;
constexpr off_t queue_byte = 65;
constexpr std::chrono::milliseconds longest_wait{2500};  // a little more than what one exchange with a card may take
constexpr std::chrono::milliseconds longest_queue{500};
constexpr std::chrono::milliseconds between_tries{2};

bool lock(int descriptor, off_t place, short type) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = place;
  range.l_len = 1;
  return ::fcntl(descriptor, F_OFD_SETLK, &range) == 0;
}

/// Tries again and again: waiting in the kernel has no limit.
void lock_in_time(int descriptor, off_t place, short type, std::chrono::milliseconds at_most) {
  if (descriptor < 0) return;
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!lock(descriptor, place, type) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(between_tries);
  }
}

}  // namespace

SharedState::SharedState(const std::filesystem::path& runtime_directory, ByteView identity) {
  const std::filesystem::path directory = runtime_directory / "cards";
  const Result<Bytes> name = crypto::digest(Hash::sha256, identity);
  if (!name || !ensure_private_directory(runtime_directory) || !ensure_private_directory(directory)) return;
  const std::filesystem::path file = directory / to_hex(ByteView(*name).first(16));
  file_.emplace(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
}

std::uint64_t SharedState::stamp() const {
  std::uint64_t value = 0;
  if (descriptor() < 0 || ::pread(descriptor(), &value, sizeof value, 0) != sizeof value) return 0;
  return value;
}

std::uint64_t SharedState::stamp_anew() {
  // Random rather than counted: a file that was lost starts anew, and must not come to a number that was there before.
  std::uint64_t value = 0;
  if (!crypto::random_bytes(MutableBytes(reinterpret_cast<Byte*>(&value), sizeof value))) value = stamp() + 1;
  if (descriptor() < 0 || ::pwrite(descriptor(), &value, sizeof value, 0) != sizeof value) return stamp();
  return value;
}

void SharedState::line_up() {
  lock_in_time(descriptor(), queue_byte, F_WRLCK, longest_queue);
}

void SharedState::step_out() {
  if (descriptor() >= 0) lock(descriptor(), queue_byte, F_UNLCK);
}

void SharedState::enter() {
  lock_in_time(descriptor(), login_byte, F_RDLCK, longest_wait);
}

bool SharedState::become_only_one() {
  return descriptor() < 0 || lock(descriptor(), login_byte, F_WRLCK);
}

void SharedState::count_out() {
  if (descriptor() >= 0) lock(descriptor(), login_byte, F_UNLCK);
}

}  // namespace cardea::card
