#include "piv/biometric.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/tlv.h"

namespace cardea::card::piv {
namespace {

constexpr std::uint32_t tag_record = 0xbc;

// The patron header's fields by offset (SP 800-76-2, table 13); numbers are big-endian.
constexpr std::size_t at_version = 0;
constexpr std::size_t at_data_size = 2;
constexpr std::size_t at_signature_size = 6;
constexpr std::size_t at_owner = 8;
constexpr std::size_t at_format = 10;
constexpr std::size_t at_created = 12;
constexpr std::size_t at_valid_from = 20;
constexpr std::size_t at_valid_until = 28;
constexpr std::size_t at_kind = 36;
constexpr std::size_t at_quality = 40;
constexpr std::size_t at_creator = 41;
constexpr std::size_t at_fascn = 59;
constexpr std::size_t header_size = 88;
constexpr std::size_t date_size = 8;
constexpr std::size_t creator_size = 18;
constexpr Byte patron_version = 0x03;

std::size_t number(ByteView header, std::size_t offset, std::size_t size) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | header[offset + i];
  return value;
}

// Century, year, month, day, hour, minute and second as one binary byte each, then 'Z'.
std::string date(ByteView header, std::size_t offset) {
  const ByteView d = header.subspan(offset, date_size);
  return fmt::format("{:02}{:02}-{:02}-{:02}T{:02}:{:02}:{:02}Z", d[0], d[1], d[2], d[3], d[4], d[5], d[6]);
}

std::string kind_name(std::size_t kind) {
  switch (kind) {
    case 0x08:
      return "fingerprint";
    case 0x02:
      return "face";
    case 0x10:
      return "iris";
    default:
      return fmt::format("type {:06x}", kind);
  }
}

}  // namespace

Result<Biometric> parse_biometric(ByteView content) {
  CARDEA_ASSIGN(const ByteView record, require_tlv(content, tag_record));
  if (record.empty()) return Code::not_found;
  if (record.size() < header_size) return error(Code::data_invalid, "the biometric record is shorter than its header");
  if (record[at_version] != patron_version)
    return error(Code::data_invalid, "the biometric record has another version");
  Biometric result;
  result.data_size = number(record, at_data_size, 4);
  result.signature_size = number(record, at_signature_size, 2);
  const std::size_t body = record.size() - header_size;
  if (result.data_size > body || result.signature_size != body - result.data_size) {
    return error(Code::data_invalid, "the lengths in the biometric record do not add up");
  }
  result.format_owner = number(record, at_owner, 2);
  result.format = number(record, at_format, 2);
  result.created = date(record, at_created);
  result.valid_from = date(record, at_valid_from);
  result.valid_until = date(record, at_valid_until);
  result.kind = kind_name(number(record, at_kind, 3));
  result.quality = static_cast<signed char>(record[at_quality]);
  const ByteView creator = record.subspan(at_creator, creator_size);
  result.creator = text_of(
      creator.first(static_cast<std::size_t>(std::find(creator.begin(), creator.end(), Byte{0}) - creator.begin())));
  result.fascn_bytes = to_bytes(record.subspan(at_fascn, fascn_size));
  return result;
}

}  // namespace cardea::card::piv
