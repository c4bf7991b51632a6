// A fuzz input taken apart into values, and memory that is exactly as long as it claims to be, so that the address
// sanitizer sees every byte read or written beyond it.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <cstring>
#include <memory>
#include <vector>

#include "cryptoki/parameters.h"

namespace cardea::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : provider_(data, size) {}

  bool more() { return provider_.remaining_bytes() > 0; }
  bool chance() { return provider_.ConsumeBool(); }
  /// One time in `of`.
  bool rarely(int of = 16) { return provider_.ConsumeIntegralInRange(1, of) == of; }
  CK_ULONG up_to(CK_ULONG most) { return provider_.ConsumeIntegralInRange<CK_ULONG>(0, most); }
  template <class Container>
  auto one_of(const Container& choices) {
    return choices[provider_.ConsumeIntegralInRange<std::size_t>(0, std::size(choices) - 1)];
  }
  /// Small numbers mostly, then those around which mistakes gather, at times any.
  CK_ULONG number();
  /// A length: mostly what a caller would pass, at times absurd.
  CK_ULONG length();
  std::vector<CK_BYTE> bytes(std::size_t most) {
    const auto raw = provider_.ConsumeBytes<std::uint8_t>(up_to(most));
    return {raw.begin(), raw.end()};
  }

 private:
  FuzzedDataProvider provider_;
};

/// Memory that lives until the input is done.
class Memory {
 public:
  /// Exactly these bytes; never null, also when there are none.
  CK_BYTE* copy(const std::vector<CK_BYTE>& bytes);
  CK_BYTE* zeros(std::size_t size);
  template <class T>
  T* copy(const T& value) {
    CK_BYTE* const place = zeros(sizeof(T));
    std::memcpy(place, &value, sizeof(T));
    return reinterpret_cast<T*>(place);
  }
  template <class T>
  T* array(const std::vector<T>& values) {
    CK_BYTE* const place = zeros(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(place, values.data(), values.size() * sizeof(T));
    return reinterpret_cast<T*>(place);
  }

 private:
  std::vector<std::unique_ptr<CK_BYTE[]>> blocks_;
};

/// A pointer with its length as a hostile caller may pass them: right; null with a length; or null and empty.
struct Span {
  CK_BYTE* data;
  CK_ULONG size;
};
Span span(Input& input, Memory& memory, std::size_t most);

}  // namespace cardea::fuzz
