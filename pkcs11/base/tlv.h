// BER-TLV as cards answer it (ISO 7816-4, 5.2.2): read without trust, written in the shortest form.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea {

/// One data object. The value is a view of the bytes that were parsed.
struct Tlv {
  std::uint32_t tag = 0;  ///< all tag bytes, big-endian: 0x53, 0x5FC105, 0x7F49
  ByteView value;
};

/// Reads data objects one after the other. Never looks behind the end and never follows a length that lies.
class TlvReader {
 public:
  explicit TlvReader(ByteView bytes) : rest_(bytes) {}
  bool at_end() const noexcept { return rest_.empty(); }
  /// The next object; data_invalid when it is truncated, its length is indefinite or longer than what is there, or its
  /// tag has more than four bytes.
  Result<Tlv> next();

 private:
  ByteView rest_;
};

/// The first object with that tag among those of `bytes`; empty when there is none. data_invalid as TlvReader::next,
/// also for damage behind the object looked for.
Result<std::optional<ByteView>> find_tlv(ByteView bytes, std::uint32_t tag);

/// The value of the object with that tag; not_found when there is none, data_invalid as find_tlv.
Result<ByteView> require_tlv(ByteView bytes, std::uint32_t tag);

/// Appends an object with a definite length in the fewest bytes.
void append_tlv(Bytes& out, std::uint32_t tag, ByteView value);

/// One object.
Bytes make_tlv(std::uint32_t tag, ByteView value);

}  // namespace cardea
