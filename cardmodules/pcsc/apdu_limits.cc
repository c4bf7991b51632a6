#include "pcsc/apdu_limits.h"

#include <algorithm>
#include <bit>

#include "pcsc/apdu_encoding.h"

namespace cardea::card {
namespace {

constexpr Byte capability_extended_length = 0x40;

// Interface bytes TA, TB, TC, TD are announced by the high nibble of the byte before them, TD continuing the chain.
std::size_t end_of_interface_bytes(ByteView atr) {
  constexpr unsigned another_td = 8;
  std::size_t at = 1;  // T0
  for (;;) {
    const unsigned announced = atr[at] >> 4;
    const std::size_t last = at + static_cast<std::size_t>(std::popcount(announced));
    if (last >= atr.size()) return atr.size();
    // The first group is announced by T0 and stands behind it; so does each later group behind its TD.
    if ((announced & another_td) == 0) return last + 1;
    at = last;
  }
}

}  // namespace

ByteView historical_bytes(ByteView atr) {
  if (atr.size() < 2) return {};
  const std::size_t count = atr[1] & 0x0f;
  const std::size_t start = end_of_interface_bytes(atr);
  if (start > atr.size() || atr.size() - start < count) return {};
  return atr.subspan(start, count);
}

std::optional<Byte> third_capabilities(ByteView historical) {
  constexpr Byte with_status = 0x00;  // category indicator: the last three bytes are a status, not a data object
  constexpr Byte without_status = 0x80;
  constexpr std::size_t status_size = 3;
  if (historical.empty()) return {};
  const Byte category = historical[0];
  ByteView objects = historical.subspan(1);
  if (category == with_status) {
    objects = objects.first(objects.size() - std::min(objects.size(), status_size));
  } else if (category != without_status) {
    return {};
  }
  // COMPACT-TLV: tag in the high nibble, length in the low one (ISO 7816-4, 8.1.1.2).
  while (!objects.empty()) {
    const std::size_t length = objects[0] & 0x0f;
    const unsigned tag = objects[0] >> 4;
    if (length > objects.size() - 1) return {};
    if (tag == 7) return length == 3 ? std::optional<Byte>(objects[3]) : std::nullopt;
    objects = objects.subspan(1 + length);
  }
  return {};
}

ApduLimits limits_of(ByteView atr, bool reader_takes_extended) {
  ApduLimits limits{.extended_possible = reader_takes_extended};
  const Byte told = third_capabilities(historical_bytes(atr)).value_or(0);
  if (reader_takes_extended && (told & capability_extended_length) != 0) {
    limits.command_data = extended_command_data;
    limits.answer_data = extended_answer_data;
  }
  return limits;
}

}  // namespace cardea::card
