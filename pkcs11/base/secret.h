// Memory for secrets: moved but never copied, wiped when released, kept out of core dumps and swap where the system
// lets us, and without any way to print it.
#pragma once

#include <cstddef>

#include "base/bytes.h"

namespace cardea {

/// Overwrites memory in a way the compiler keeps.
void wipe(MutableBytes bytes) noexcept;

/// Compares without telling by its duration where the first difference is. Lengths are not secret.
bool equal_in_constant_time(ByteView a, ByteView b) noexcept;

/// Owns secret bytes. Move-only; `copy()` says in words where a second one is made.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size);
  explicit SecretBytes(ByteView bytes);
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  SecretBytes copy() const { return SecretBytes(view()); }
  ByteView view() const noexcept { return {data_, size_}; }
  MutableBytes mutable_view() noexcept { return {data_, size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  Byte* data() noexcept { return data_; }
  const Byte* data() const noexcept { return data_; }

  /// Shortens, wiping what is cut off; never lengthens.
  void truncate(std::size_t size) noexcept;
  void clear() noexcept;

 private:
  Byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// A PIN, PUK or password as its user typed it.
class Pin {
 public:
  Pin() = default;
  explicit Pin(ByteView utf8) : bytes_(utf8) {}
  ByteView view() const noexcept { return bytes_.view(); }
  std::size_t size() const noexcept { return bytes_.size(); }

 private:
  SecretBytes bytes_;
};

}  // namespace cardea
