#include "card/tlv.h"

namespace cardea::vcard {

std::optional<std::uint32_t> TlvReader::take_tag() {
  if (rest_.empty()) return std::nullopt;
  std::uint32_t tag = rest_[0];
  rest_ = rest_.subspan(1);
  if ((tag & 0x1F) != 0x1F) return tag;
  for (int more = 0; more < 2; ++more) {
    if (rest_.empty()) return std::nullopt;
    const Byte byte = rest_[0];
    rest_ = rest_.subspan(1);
    tag = tag << 8 | byte;
    // Bit 8 says that the tag goes on; PIV's 5FC1xx is three bytes because C1 has it set.
    if ((byte & 0x80) == 0) return tag;
  }
  return std::nullopt;
}

std::optional<std::size_t> TlvReader::take_length() {
  if (rest_.empty()) return std::nullopt;
  const Byte first = rest_[0];
  rest_ = rest_.subspan(1);
  if (first < 0x80) return first;
  const std::size_t digits = first & 0x7F;
  if (digits == 0 || digits > 3 || rest_.size() < digits) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < digits; ++i) length = length << 8 | rest_[i];
  rest_ = rest_.subspan(digits);
  return length;
}

std::optional<Tlv> TlvReader::next() {
  if (rest_.empty() || broken_) return std::nullopt;
  const auto tag = take_tag();
  const auto length = tag ? take_length() : std::nullopt;
  if (!length || *length > rest_.size()) {
    broken_ = true;
    return std::nullopt;
  }
  const Tlv found{*tag, rest_.first(*length)};
  rest_ = rest_.subspan(*length);
  return found;
}

std::optional<ByteView> find_tlv(ByteView data, std::uint32_t tag) {
  TlvReader reader(data);
  while (const auto object = reader.next()) {
    if (object->tag == tag) return object->value;
  }
  return std::nullopt;
}

std::optional<ByteView> find_tlv(ByteView data, std::initializer_list<std::uint32_t> path) {
  std::optional<ByteView> value = data;
  for (const std::uint32_t tag : path) {
    value = find_tlv(*value, tag);
    if (!value) return std::nullopt;
  }
  return value;
}

void append_tlv(Bytes& out, std::uint32_t tag, ByteView value) {
  if (tag > 0xFFFF) out.push_back(static_cast<Byte>(tag >> 16));
  if (tag > 0xFF) out.push_back(static_cast<Byte>(tag >> 8));
  out.push_back(static_cast<Byte>(tag));
  const std::size_t length = value.size();
  if (length > 0xFFFF) {
    out.push_back(0x83);
    out.push_back(static_cast<Byte>(length >> 16));
  } else if (length > 0xFF) {
    out.push_back(0x82);
  } else if (length > 0x7F) {
    out.push_back(0x81);
  }
  if (length > 0xFF) out.push_back(static_cast<Byte>(length >> 8));
  out.push_back(static_cast<Byte>(length));
  out.insert(out.end(), value.begin(), value.end());
}

Bytes make_tlv(std::uint32_t tag, ByteView value) {
  Bytes out;
  append_tlv(out, tag, value);
  return out;
}

bool is_tlv_sequence(ByteView data) {
  TlvReader reader(data);
  while (reader.next()) {
  }
  return reader.finished();
}

}  // namespace cardea::vcard
