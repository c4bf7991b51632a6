#include "base/secret.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/secret_arena.h"

namespace cardea {

void wipe(MutableBytes bytes) noexcept {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
}

bool equal_in_constant_time(ByteView a, ByteView b) noexcept {
  if (a.size() != b.size()) return false;
  volatile Byte difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = difference | (a[i] ^ b[i]);
  return difference == 0;
}

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  data_ = static_cast<Byte*>(secret_allocate(size, capacity_));
  std::fill_n(data_, size, Byte{0});
}

SecretBytes::SecretBytes(ByteView bytes) : size_(bytes.size()) {
  if (bytes.empty()) return;
  data_ = static_cast<Byte*>(secret_allocate(bytes.size(), capacity_));
  std::copy(bytes.begin(), bytes.end(), data_);
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    clear();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

SecretBytes::~SecretBytes() {
  clear();
}

void SecretBytes::truncate(std::size_t size) noexcept {
  if (size >= size_) return;
  wipe(mutable_view().subspan(size));
  size_ = size;
}

void SecretBytes::clear() noexcept {
  if (data_ != nullptr) secret_release(data_, capacity_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

}  // namespace cardea
