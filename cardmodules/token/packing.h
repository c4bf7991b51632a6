// Plain structures to bytes and back. One description of a structure's members serves both: Packer and Unpacker have
// the same member functions.
#pragma once

#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace cardea::card {

/// Writes numbers as eight bytes little-endian, everything of variable length behind its length.
class Packer {
 public:
  template <class T>
  void number(const T& value) {
    auto rest = static_cast<std::uint64_t>(value);
    for (int i = 0; i < 8; ++i, rest >>= 8) out_.push_back(static_cast<Byte>(rest));
  }
  void flag(bool value) { out_.push_back(value ? 1 : 0); }
  template <class E>
  void choice(E value, E) {
    out_.push_back(static_cast<Byte>(value));
  }
  void bytes(ByteView value) {
    number(value.size());
    out_.insert(out_.end(), value.begin(), value.end());
  }
  void text(const std::string& value) { bytes(view_of(value)); }
  template <class T, class F>
  void optional(std::optional<T>& value, F&& item) {
    flag(value.has_value());
    if (value) item(*this, *value);
  }
  template <class T, class F>
  void list(std::vector<T>& values, F&& item) {
    number(values.size());
    for (T& value : values) item(*this, value);
  }
  template <class T, class F>
  void map(std::map<std::uint32_t, T>& values, F&& item) {
    number(values.size());
    for (auto& [key, value] : values) {
      number(key);
      item(*this, value);
    }
  }

  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

/// Reads what a Packer wrote. After the first thing that does not fit, everything reads as empty and complete() is
/// false; lists never grow beyond what the bytes hold.
class Unpacker {
 public:
  explicit Unpacker(ByteView bytes) : rest_(bytes) {}

  template <class T>
  void number(T& value) {
    const ByteView raw = take(8);
    std::uint64_t read = 0;
    for (std::size_t i = raw.size(); i > 0; --i) read = read << 8 | raw[i - 1];
    value = static_cast<T>(read);
    if (static_cast<std::uint64_t>(value) != read) fail();
  }
  void flag(bool& value) {
    const ByteView raw = take(1);
    if (!raw.empty() && raw[0] > 1) fail();
    value = !raw.empty() && raw[0] == 1;
  }
  template <class E>
  void choice(E& value, E last) {
    const ByteView raw = take(1);
    if (raw.empty() || raw[0] > static_cast<Byte>(last)) return fail();
    value = static_cast<E>(raw[0]);
  }
  void bytes(Bytes& value) { value = to_bytes(sized()); }
  void text(std::string& value) { value = text_of(sized()); }
  template <class T, class F>
  void optional(std::optional<T>& value, F&& item) {
    bool present = false;
    flag(present);
    if (present) item(*this, value.emplace());
  }
  template <class T, class F>
  void list(std::vector<T>& values, F&& item) {
    std::uint64_t count = 0;
    number(count);
    for (; count > 0 && !failed_; --count) item(*this, values.emplace_back());
  }
  template <class T, class F>
  void map(std::map<std::uint32_t, T>& values, F&& item) {
    std::uint64_t count = 0;
    number(count);
    for (; count > 0 && !failed_; --count) {
      std::uint32_t key = 0;
      number(key);
      if (!values.empty() && key <= values.rbegin()->first) return fail();
      item(*this, values[key]);
    }
  }

  /// Whether everything fitted and nothing is left.
  bool complete() const noexcept { return !failed_ && rest_.empty(); }

 private:
  ByteView sized() {
    std::uint64_t size = 0;
    number(size);
    return take(size);
  }
  ByteView take(std::uint64_t size) {
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  void fail() {
    failed_ = true;
    rest_ = {};
  }

  ByteView rest_;
  bool failed_ = false;
};

}  // namespace cardea::card
