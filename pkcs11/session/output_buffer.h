// The standard's convention for output of variable length (PKCS#11 3.2, 5.2), settled in one place.
#pragma once

#include <algorithm>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "cryptoki/cryptoki.h"

namespace cardea {

/// A caller's buffer and the place where its length stands. A null buffer asks for the length only.
class OutputBuffer {
 public:
  OutputBuffer(CK_BYTE_PTR data, CK_ULONG_PTR length) : data_(data), length_(length) {}

  /// arguments_bad when there is no place for the length, or an absurd length is claimed.
  Status check() const {
    if (length_ == nullptr) return Code::arguments_bad;
    if (data_ != nullptr && *length_ > absurd_length) return Code::arguments_bad;
    return {};
  }
  bool size_query() const noexcept { return data_ == nullptr; }
  std::size_t capacity() const noexcept { return data_ == nullptr ? 0 : *length_; }
  MutableBytes bytes() const noexcept { return {data_, capacity()}; }
  /// What a call wrote, after set_length.
  ByteView written() const noexcept { return {data_, data_ == nullptr ? 0 : *length_}; }
  void set_length(std::size_t length) const noexcept { *length_ = length; }

  /// Copies a finished result; buffer_too_small (with the length set) when it does not fit.
  Status write(ByteView result) const {
    const std::size_t room = capacity();
    set_length(result.size());
    if (size_query()) return {};
    if (room < result.size()) return Code::buffer_too_small;
    std::copy(result.begin(), result.end(), data_);
    return {};
  }

 private:
  static constexpr CK_ULONG absurd_length = CK_ULONG{1} << 48;
  CK_BYTE_PTR data_;
  CK_ULONG_PTR length_;
};

/// A caller's input; arguments_bad for null with a length, or an absurd length.
inline Result<ByteView> input_bytes(const void* data, CK_ULONG length) {
  if ((data == nullptr && length != 0) || length > (CK_ULONG{1} << 48)) return Code::arguments_bad;
  return ByteView{static_cast<const Byte*>(data), length};
}

}  // namespace cardea
