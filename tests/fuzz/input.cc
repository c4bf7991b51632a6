#include "fuzz/input.h"

namespace cardea::fuzz {

CK_ULONG Input::number() {
  static constexpr CK_ULONG special[]{0,
                                      1,
                                      7,
                                      8,
                                      12,
                                      15,
                                      16,
                                      17,
                                      32,
                                      64,
                                      96,
                                      128,
                                      255,
                                      256,
                                      1024,
                                      4096,
                                      65535,
                                      65536,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x100000000,
                                      CK_ULONG{1} << 61,
                                      CK_ULONG{1} << 63,
                                      ~CK_ULONG{0},
                                      ~CK_ULONG{0} - 1,
                                      ~CK_ULONG{0} - 15};
  if (chance()) return up_to(300);
  return rarely(8) ? provider_.ConsumeIntegral<CK_ULONG>() : one_of(special);
}

CK_ULONG Input::length() {
  return rarely(8) ? number() : up_to(64);
}

CK_BYTE* Memory::copy(const std::vector<CK_BYTE>& bytes) {
  CK_BYTE* const place = zeros(bytes.size());
  if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
  return place;
}

CK_BYTE* Memory::zeros(std::size_t size) {
  blocks_.push_back(std::make_unique<CK_BYTE[]>(size));
  return blocks_.back().get();
}

Span span(Input& input, Memory& memory, std::size_t most) {
  if (input.rarely()) return {nullptr, input.number()};
  if (input.rarely()) return {nullptr, 0};
  const std::vector<CK_BYTE> bytes = input.bytes(most);
  return {memory.copy(bytes), bytes.size()};
}

}  // namespace cardea::fuzz
