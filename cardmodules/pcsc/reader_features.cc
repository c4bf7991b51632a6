#include "pcsc/reader_features.h"

#include <reader.h>

#include <algorithm>

#include "pcsc/apdu_encoding.h"

namespace cardea::card {
namespace {

/// Calls `found(tag, value)` for objects of one byte of tag and one of length, until one lies.
template <class Found>
void each_object(ByteView bytes, const Found& found) {
  while (bytes.size() >= 2 && bytes[1] <= bytes.size() - 2) {
    found(bytes[0], bytes.subspan(2, bytes[1]));
    bytes = bytes.subspan(2 + std::size_t{bytes[1]});
  }
}

/// Control codes are big-endian (PC/SC part 10, 2.2), …
std::uint32_t big_endian(ByteView bytes) {
  std::uint32_t value = 0;
  for (const Byte byte : bytes.first(std::min<std::size_t>(bytes.size(), 4))) value = value << 8 | byte;
  return value;
}

/// … and properties little-endian (2.6.14).
std::uint32_t little_endian(ByteView bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 4); ++i) value |= std::uint32_t{bytes[i]} << 8 * i;
  return value;
}

void read_property(ReaderFeatures& features, Byte tag, ByteView value) {
  switch (tag) {
    case PCSCv2_PART10_PROPERTY_bMinPINSize:
      features.min_pin_length = little_endian(value);
      break;
    case PCSCv2_PART10_PROPERTY_bMaxPINSize:
      features.max_pin_length = little_endian(value);
      break;
    case PCSCv2_PART10_PROPERTY_dwMaxAPDUDataSize:
      features.short_apdus_only = little_endian(value) <= short_answer_data;
      break;
    default:
      break;
  }
}

}  // namespace

ReaderFeatures explore_features(const AskReader& ask) {
  ReaderFeatures features;
  const Result<Bytes> answer = ask(CM_IOCTL_GET_FEATURE_REQUEST);
  if (!answer) return features;
  std::uint32_t properties = 0;
  each_object(*answer, [&](Byte tag, ByteView value) {
    if (tag == FEATURE_VERIFY_PIN_DIRECT) features.verify_pin = big_endian(value);
    if (tag == FEATURE_MODIFY_PIN_DIRECT) features.modify_pin = big_endian(value);
    if (tag == FEATURE_GET_TLV_PROPERTIES) properties = big_endian(value);
  });
  if (properties == 0) return features;
  if (const Result<Bytes> told = ask(properties))
    each_object(*told, [&](Byte tag, ByteView value) { read_property(features, tag, value); });
  return features;
}

}  // namespace cardea::card
