#include "keystore/change_counter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace cardea::keystore {
namespace {

constexpr std::size_t file_size = 4096;
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a lock would not be shared between processes");

}  // namespace

ChangeCounter::ChangeCounter(ChangeCounter&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}

ChangeCounter& ChangeCounter::operator=(ChangeCounter&& other) noexcept {
  std::swap(value_, other.value_);
  return *this;
}

ChangeCounter::~ChangeCounter() {
  if (value_ != nullptr) munmap(value_, file_size);
}

ChangeCounter ChangeCounter::open(const std::filesystem::path& file, bool writable) {
  ChangeCounter counter;
  const int flags = O_CLOEXEC | O_NOFOLLOW | (writable ? O_RDWR | O_CREAT : O_RDONLY);
  const int descriptor = ::open(file.c_str(), flags, 0600);
  if (descriptor < 0) return counter;
  // Blocks are reserved now: writing to a hole of a mapped file on a full disk would kill the process.
  const bool reserved = !writable || posix_fallocate(descriptor, 0, file_size) == 0;
  struct stat status {};
  if (reserved && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
      static_cast<std::size_t>(status.st_size) >= file_size) {
    void* const page =
        mmap(nullptr, file_size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, descriptor, 0);
    if (page != MAP_FAILED) counter.value_ = static_cast<std::atomic<std::uint64_t>*>(page);
  }
  close(descriptor);
  return counter;
}

std::uint64_t ChangeCounter::begin_write() noexcept {
  if (value_ == nullptr) return unknown;
  const std::uint64_t odd = (value_->load(std::memory_order_acquire) + 1) | 1;
  value_->store(odd, std::memory_order_seq_cst);
  return odd;
}

void ChangeCounter::end_write(std::uint64_t odd) noexcept {
  if (value_ != nullptr) value_->compare_exchange_strong(odd, odd + 1, std::memory_order_seq_cst);
}

}  // namespace cardea::keystore
