#include "mechanism/aes_modes.h"

#include <algorithm>
#include <utility>

namespace cardea {
namespace {

using crypto::Direction;

bool overlap(ByteView a, ByteView b) noexcept {
  return !a.empty() && !b.empty() && a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
}

class StreamCipher final : public CipherOperation {
 public:
  StreamCipher(crypto::CipherContext context, Direction direction, StreamShape shape)
      : context_(std::move(context)), direction_(direction), shape_(shape) {}

  std::size_t single_bound(std::size_t input) const noexcept override {
    return shape_.padded && direction_ == Direction::encrypt ? (input / shape_.block + 1) * shape_.block : input;
  }
  std::size_t update_bound(std::size_t input) const noexcept override { return held_ + input; }
  std::size_t finish_bound() const noexcept override { return shape_.padded ? shape_.block : 0; }

  Result<std::size_t> single(ByteView input, MutableBytes out) override {
    CARDEA_ASSIGN(const std::size_t most, update(input, out));
    CARDEA_ASSIGN(const std::size_t rest, finish(out.subspan(most)));
    return most + rest;
  }

  Result<std::size_t> update(ByteView input, MutableBytes out) override {
    if (input.size() > shape_.limit - taken_) return length_error(direction_);
    taken_ += input.size();
    // With bytes held back, output runs ahead of the input it is made from, so input in the same place must be set
    // aside.
    SecretBytes aside;
    if (held_ != 0 && overlap(input, out)) {
      aside = SecretBytes(input);
      input = aside.view();
    }
    CARDEA_ASSIGN(const std::size_t written, context_.update(input, out));
    held_ += input.size() - written;
    return written;
  }

  Result<std::size_t> finish(MutableBytes out) override {
    const bool whole_blocks = taken_ % shape_.block == 0;
    if (!shape_.padded) {
      if (!whole_blocks) return length_error(direction_);
      return std::size_t{0};
    }
    if (direction_ == Direction::decrypt && (!whole_blocks || taken_ == 0)) return Code::encrypted_data_length;
    return context_.finish(out, direction_ == Direction::decrypt ? Code::encrypted_data_invalid : Code::internal);
  }

 private:
  crypto::CipherContext context_;
  Direction direction_;
  StreamShape shape_;
  std::uint64_t taken_ = 0;
  std::size_t held_ = 0;  // taken, but not yet written
};

class WholeMessageCipher final : public CipherOperation {
 public:
  WholeMessageCipher(crypto::CipherContext context, Direction direction, std::size_t least, std::size_t most)
      : context_(std::move(context)), direction_(direction), least_(least), most_(most) {}

  std::size_t single_bound(std::size_t input) const noexcept override { return input; }
  std::size_t update_bound(std::size_t) const noexcept override { return 0; }
  std::size_t finish_bound() const noexcept override { return collected_.size(); }

  Result<std::size_t> single(ByteView input, MutableBytes out) override {
    if (input.size() < least_ || input.size() > most_) return length_error(direction_);
    return context_.update(input, out);
  }
  Result<std::size_t> update(ByteView input, MutableBytes) override {
    if (input.size() > most_ - collected_.size()) return length_error(direction_);
    collected_.append(input);
    return std::size_t{0};
  }
  Result<std::size_t> finish(MutableBytes out) override { return single(collected_.view(), out); }

 private:
  crypto::CipherContext context_;
  Direction direction_;
  std::size_t least_;
  std::size_t most_;
  SecretCollector collected_;
};

}  // namespace

void SecretCollector::append(ByteView part) {
  if (part.empty()) return;
  if (part.size() > bytes_.size() - size_) {
    SecretBytes larger(std::max(2 * bytes_.size(), size_ + part.size()));
    std::copy_n(bytes_.data(), size_, larger.data());
    bytes_ = std::move(larger);
  }
  std::copy(part.begin(), part.end(), bytes_.data() + size_);
  size_ += part.size();
}

CipherPtr stream_cipher(crypto::CipherContext context, Direction direction, StreamShape shape) {
  return std::make_unique<StreamCipher>(std::move(context), direction, shape);
}

CipherPtr whole_message_cipher(crypto::CipherContext context, Direction direction, std::size_t least,
                               std::size_t most) {
  return std::make_unique<WholeMessageCipher>(std::move(context), direction, least, most);
}

}  // namespace cardea
