#include "piv/metadata.h"

#include "base/tlv.h"

namespace cardea::card::piv {
namespace {

constexpr std::uint32_t tag_algorithm = 0x01;
constexpr std::uint32_t tag_policy = 0x02;
constexpr std::uint32_t tag_origin = 0x03;
constexpr std::uint32_t tag_public_key = 0x04;
constexpr std::uint32_t tag_default = 0x05;
constexpr std::uint32_t tag_tries = 0x06;
constexpr Byte origin_generated = 0x01;

std::optional<PinPolicy> pin_policy(Byte value) {
  switch (value) {
    case 1:
      return PinPolicy::never;
    case 2:
    case 4:  // a fingerprint does as well
      return PinPolicy::once;
    case 3:
    case 5:
      return PinPolicy::always;
    default:
      return std::nullopt;
  }
}

std::optional<TouchPolicy> touch_policy(Byte value) {
  switch (value) {
    case 1:
      return TouchPolicy::never;
    case 2:
      return TouchPolicy::always;
    case 3:
      return TouchPolicy::cached;
    default:
      return std::nullopt;
  }
}

Status take_field(Metadata& metadata, const Tlv& field) {
  const bool has_one = field.value.size() == 1;
  const bool has_two = field.value.size() == 2;
  switch (field.tag) {
    case tag_algorithm:
      if (!has_one) break;
      metadata.algorithm = field.value[0];
      return {};
    case tag_policy:
      if (!has_two) break;
      metadata.pin = pin_policy(field.value[0]);
      metadata.touch = touch_policy(field.value[1]);
      return {};
    case tag_origin:
      if (!has_one) break;
      metadata.generated = field.value[0] == origin_generated;
      return {};
    case tag_default:
      if (!has_one) break;
      metadata.is_default = field.value[0] == 1;
      return {};
    case tag_tries:
      if (!has_two) break;
      metadata.tries_limit = field.value[0];
      metadata.tries_left = field.value[1];
      return {};
    default:
      return {};
  }
  return error(Code::data_invalid, "a field of the card's metadata has a wrong length");
}

}  // namespace

Result<Metadata> parse_metadata(ByteView answer) {
  Metadata metadata;
  for (TlvReader reader(answer); !reader.at_end();) {
    CARDEA_ASSIGN(const Tlv field, reader.next());
    CARDEA_TRY(take_field(metadata, field));
  }
  CARDEA_ASSIGN(const std::optional<ByteView> fields, find_tlv(answer, tag_public_key));
  const std::optional<KeyKind> kind = kind_of_identifier(metadata.algorithm);
  if (fields && kind) {
    CARDEA_ASSIGN(metadata.public_key, read_public_key(*kind, *fields));
  }
  return metadata;
}

Byte policy_value(PinPolicy policy) noexcept {
  switch (policy) {
    case PinPolicy::never:
      return 1;
    case PinPolicy::once:
      return 2;
    case PinPolicy::always:
      break;
  }
  return 3;
}

Byte policy_value(TouchPolicy policy) noexcept {
  switch (policy) {
    case TouchPolicy::never:
      return 1;
    case TouchPolicy::always:
      return 2;
    case TouchPolicy::cached:
      break;
  }
  return 3;
}

}  // namespace cardea::card::piv
