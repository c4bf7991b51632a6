// BER-TLV data objects (ISO/IEC 7816-4, 5.2.2) as cards write them: tags of one to three bytes, definite lengths.
// The cards have a reader of their own on purpose: a mistake in base/tlv.h, which our middleware uses, cannot hide in
// both ends of a test.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "base/bytes.h"

namespace cardea::vcard {

/// One data object; the value points into what was read.
struct Tlv {
  std::uint32_t tag = 0;
  ByteView value;
};

/// Reads data objects one after the other.
class TlvReader {
 public:
  explicit TlvReader(ByteView data) : rest_(data) {}

  /// The next object; nothing at the end and nothing when what follows is no data object.
  std::optional<Tlv> next();
  /// Everything was read without a fault.
  bool finished() const { return rest_.empty() && !broken_; }

 private:
  std::optional<std::uint32_t> take_tag();
  std::optional<std::size_t> take_length();

  ByteView rest_;
  bool broken_ = false;
};

/// The value of the first object with that tag on the top level.
std::optional<ByteView> find_tlv(ByteView data, std::uint32_t tag);

/// Follows a path of tags into nested objects.
std::optional<ByteView> find_tlv(ByteView data, std::initializer_list<std::uint32_t> path);

/// Appends tag, length and value.
void append_tlv(Bytes& out, std::uint32_t tag, ByteView value);

/// The same as bytes of their own.
Bytes make_tlv(std::uint32_t tag, ByteView value);

/// Whether the bytes are data objects from first to last.
bool is_tlv_sequence(ByteView data);

}  // namespace cardea::vcard
