#include "piv/chuid.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/tlv.h"
#include "crypto/cms.h"

namespace cardea::card::piv {
namespace {

constexpr std::uint32_t tag_fascn = 0x30;
constexpr std::uint32_t tag_organization = 0x32;
constexpr std::uint32_t tag_duns = 0x33;
constexpr std::uint32_t tag_guid = 0x34;
constexpr std::uint32_t tag_expiration = 0x35;
constexpr std::uint32_t tag_cardholder_uuid = 0x36;
constexpr std::uint32_t tag_signature = 0x3e;

constexpr std::size_t uuid_size = 16;
constexpr std::size_t date_size = 8;
constexpr std::size_t serial_digits = 16;

void take_fascn(Chuid& chuid, ByteView value) {
  chuid.fascn_bytes = to_bytes(value);
  Result<Fascn> decoded = decode_fascn(value);
  if (decoded) {
    chuid.fascn = std::move(*decoded);
  } else {
    chuid.fascn_problem = decoded.error().detail;
  }
}

Status take_uuid(Bytes& target, ByteView value) {
  if (!value.empty() && value.size() != uuid_size)
    return error(Code::data_invalid, "a UUID in the CHUID is not 16 bytes");
  target = to_bytes(value);
  return {};
}

Status take_date(std::string& target, ByteView value) {
  const bool digits = std::all_of(value.begin(), value.end(), [](Byte c) { return c >= '0' && c <= '9'; });
  if (!value.empty() && (value.size() != date_size || !digits)) {
    return error(Code::data_invalid, "the CHUID's expiration date is no date");
  }
  target = text_of(value);
  return {};
}

Status take_field(Chuid& chuid, const Tlv& field) {
  switch (field.tag) {
    case tag_fascn:
      take_fascn(chuid, field.value);
      break;
    case tag_organization:
      chuid.organization = text_of(field.value);
      break;
    case tag_duns:
      chuid.duns = text_of(field.value);
      break;
    case tag_guid:
      return take_uuid(chuid.guid, field.value);
    case tag_expiration:
      return take_date(chuid.expires, field.value);
    case tag_cardholder_uuid:
      return take_uuid(chuid.cardholder_uuid, field.value);
    case tag_signature:
      chuid.signature = to_bytes(field.value);
      break;
    default:  // the buffer length, authentication key map and check field carry nothing of use
      break;
  }
  return {};
}

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](Byte byte) { return byte == 0; });
}

}  // namespace

Result<Chuid> parse_chuid(ByteView content) {
  Chuid chuid;
  std::size_t position = 0;
  TlvReader reader(content);
  while (!reader.at_end()) {
    CARDEA_ASSIGN(const Tlv field, reader.next());
    CARDEA_TRY(take_field(chuid, field));
    const auto end = static_cast<std::size_t>(field.value.data() + field.value.size() - content.data());
    // The signature covers the fields as they stand on the card, lengths in whatever form included.
    const ByteView whole = content.subspan(position, end - position);
    if (field.tag != tag_signature) {
      chuid.signed_content.insert(chuid.signed_content.end(), whole.begin(), whole.end());
    }
    position = end;
  }
  if (chuid.fascn_bytes.empty() && chuid.guid.empty()) {
    return error(Code::data_invalid, "the CHUID has neither FASC-N nor GUID");
  }
  return chuid;
}

Status verify_chuid(const Chuid& chuid, ByteView issuer) {
  if (chuid.signature.empty()) return error(Code::not_found, "the CHUID is not signed");
  return crypto::verify_signed_data(chuid.signature, chuid.signed_content, issuer, content_signing);
}

std::string uuid_text(ByteView uuid) {
  const std::string hex = to_hex(uuid);
  if (uuid.size() != uuid_size) return hex;
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

std::string chuid_serial(const Chuid& chuid) {
  if (chuid.fascn && !chuid.fascn->is_absent()) {
    return chuid.fascn->agency + chuid.fascn->system + chuid.fascn->credential;
  }
  if (is_zero(chuid.guid)) return "";
  return to_hex(chuid.guid).substr(0, serial_digits);
}

}  // namespace cardea::card::piv
