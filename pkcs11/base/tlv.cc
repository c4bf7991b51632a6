#include "base/tlv.h"

namespace cardea {
namespace {

constexpr std::size_t longest_tag = 4;

/// Takes the tag off the front (X.690, 8.1.2).
Result<std::uint32_t> take_tag(ByteView& rest) {
  if (rest.empty()) return error(Code::data_invalid, "a data object has no tag");
  std::uint32_t tag = rest[0];
  std::size_t used = 1;
  if ((tag & 0x1f) == 0x1f) {
    do {
      if (used == rest.size() || used == longest_tag)
        return error(Code::data_invalid, "a data object's tag is cut off");
      tag = tag << 8 | rest[used];
    } while ((rest[used++] & 0x80) != 0);
  }
  rest = rest.subspan(used);
  return tag;
}

/// Takes the length off the front (X.690, 8.1.3); cards use up to three bytes of it, ISO 7816-4 allows four.
Result<std::size_t> take_length(ByteView& rest) {
  if (rest.empty()) return error(Code::data_invalid, "a data object has no length");
  std::size_t length = rest[0];
  std::size_t used = 1;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7f;
    if (count == 0 || count > 4 || rest.size() <= count) {
      return error(Code::data_invalid, "a data object's length is not definite or cut off");
    }
    length = 0;
    while (used <= count) length = length << 8 | rest[used++];
  }
  rest = rest.subspan(used);
  if (length > rest.size()) return error(Code::data_invalid, "a data object is longer than what holds it");
  return length;
}

}  // namespace

Result<Tlv> TlvReader::next() {
  CARDEA_ASSIGN(const std::uint32_t tag, take_tag(rest_));
  CARDEA_ASSIGN(const std::size_t length, take_length(rest_));
  const Tlv found{tag, rest_.first(length)};
  rest_ = rest_.subspan(length);
  return found;
}

Result<std::optional<ByteView>> find_tlv(ByteView bytes, std::uint32_t tag) {
  std::optional<ByteView> found;
  for (TlvReader reader(bytes); !reader.at_end();) {
    CARDEA_ASSIGN(const Tlv object, reader.next());
    if (object.tag == tag && !found) found = object.value;
  }
  return found;
}

Result<ByteView> require_tlv(ByteView bytes, std::uint32_t tag) {
  CARDEA_ASSIGN(const std::optional<ByteView> found, find_tlv(bytes, tag));
  if (!found) return Code::not_found;
  return *found;
}

void append_tlv(Bytes& out, std::uint32_t tag, ByteView value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (tag >> shift != 0 || shift == 0) out.push_back(static_cast<Byte>(tag >> shift));
  }
  const std::size_t size = value.size();
  if (size < 0x80) {
    out.push_back(static_cast<Byte>(size));
  } else {
    int bytes = 1;
    while (size >> (8 * bytes) != 0) ++bytes;
    out.push_back(static_cast<Byte>(0x80 | bytes));
    while (bytes-- > 0) out.push_back(static_cast<Byte>(size >> (8 * bytes)));
  }
  out.insert(out.end(), value.begin(), value.end());
}

Bytes make_tlv(std::uint32_t tag, ByteView value) {
  Bytes out;
  append_tlv(out, tag, value);
  return out;
}

}  // namespace cardea
