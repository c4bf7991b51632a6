// Started encryptions and decryptions without authentication, over a cipher context with key and IV set.
#pragma once

#include <cstdint>

#include "crypto/symmetric_key.h"
#include "mechanism/operation.h"

namespace cardea {

/// ECB, CBC (block 16, padding or not) and stream modes (block 1). At most `limit` bytes of input are taken.
struct StreamShape {
  std::size_t block = 16;
  bool padded = false;
  std::uint64_t limit = UINT64_MAX;
};
CipherPtr stream_cipher(crypto::CipherContext context, crypto::Direction direction, StreamShape shape);

/// Modes that need the whole message at once: CTS and XTS. Parts are collected until the end. Messages have `least` to
/// `most` bytes and keep their length.
CipherPtr whole_message_cipher(crypto::CipherContext context, crypto::Direction direction, std::size_t least,
                               std::size_t most);

/// What a wrong length of the input is called in that direction.
constexpr Code length_error(crypto::Direction direction) noexcept {
  return direction == crypto::Direction::encrypt ? Code::data_length : Code::encrypted_data_length;
}

/// Secret bytes collected part by part. Grows by doubling, so that many small parts stay cheap.
class SecretCollector {
 public:
  std::size_t size() const noexcept { return size_; }
  ByteView view() const noexcept { return bytes_.view().first(size_); }
  void append(ByteView part);

 private:
  SecretBytes bytes_;
  std::size_t size_ = 0;
};

}  // namespace cardea
