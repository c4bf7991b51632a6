#include "session/active_operation.h"

#include <algorithm>

namespace cardea {

Status GatheredInput::append(ByteView part) {
  constexpr std::size_t limit = std::size_t{64} << 20;
  if (part.size() > limit - used_) return Code::data_length;
  if (used_ + part.size() > buffer_.size()) {
    SecretBytes larger(std::max(used_ + part.size(), buffer_.size() * 2));
    std::copy_n(buffer_.data(), used_, larger.data());
    buffer_ = std::move(larger);
  }
  std::copy(part.begin(), part.end(), buffer_.data() + used_);
  used_ += part.size();
  return {};
}

}  // namespace cardea
