// GET DATA and PUT DATA (SP 800-73-4 part 2, 3.1.2 and 3.3.1).
#include <optional>

#include "card/piv_applet.h"

namespace cardea::vcard {

namespace {

constexpr std::uint32_t discovery_object = 0x7E;
constexpr std::uint32_t biometric_group_template = 0x7F61;
constexpr std::uint32_t printed_information = 0x5FC109;
constexpr std::uint32_t fingerprints = 0x5FC103;
constexpr std::uint32_t facial_image = 0x5FC108;
constexpr std::uint32_t iris_images = 0x5FC121;
constexpr std::uint32_t pairing_code = 0x5FC123;
constexpr Byte wrapper = 0x53;
constexpr std::size_t largest_object = 0x8000;

bool is_template(std::uint32_t tag) {
  return tag == discovery_object || tag == biometric_group_template;
}

// 5FC1xx are the standard's objects (part 1, table 3), 5FFFxx Yubico's.
bool is_known_tag(std::uint32_t tag, bool vendor_extensions) {
  return is_template(tag) || tag >> 8 == 0x5FC1 || (vendor_extensions && tag >> 8 == 0x5FFF);
}

// The tag list 5C holds one tag of one to three bytes.
std::optional<std::uint32_t> wanted_tag(ByteView list) {
  if (list.empty() || list.size() > 3) return std::nullopt;
  std::uint32_t tag = 0;
  for (const Byte byte : list) tag = tag << 8 | byte;
  return tag;
}

}  // namespace

bool PivApplet::readable(std::uint32_t tag) const {
  switch (tag) {
    case printed_information:
    case fingerprints:
    case facial_image:
    case iris_images:
    case pairing_code:
      return user_verified();
    default:
      return true;
  }
}

Response PivApplet::get_data(const Command& command) {
  if (command.p1p2() != 0x3FFF) return sw::wrong_p1_p2;
  const auto list = find_tlv(command.data, 0x5C);
  const auto tag = list ? wanted_tag(*list) : std::nullopt;
  if (!tag) return sw::wrong_data;
  if (!readable(*tag)) return sw::security_status_not_satisfied;
  const auto object = state_.objects.find(*tag);
  if (object == state_.objects.end()) return sw::file_not_found;
  return is_template(*tag) ? make_tlv(*tag, object->second) : make_tlv(wrapper, object->second);
}

Response PivApplet::put_data(const Command& command) {
  if (command.p1p2() != 0x3FFF) return sw::wrong_p1_p2;
  if (!security_.management) return sw::security_status_not_satisfied;
  TlvReader reader(command.data);
  const auto first = reader.next();
  if (!first) return sw::wrong_data;
  std::optional<std::uint32_t> tag;
  std::optional<ByteView> content;
  if (first->tag == 0x5C) {
    const auto second = reader.next();
    tag = wanted_tag(first->value);
    if (second && second->tag == wrapper) content = second->value;
  } else if (is_template(first->tag)) {
    tag = first->tag;
    content = first->value;
  }
  if (!tag || !content || !reader.finished()) return sw::wrong_data;
  if (!is_known_tag(*tag, state_.profile.vendor_extensions)) return sw::file_not_found;
  if (content->size() > largest_object) return sw::not_enough_memory;
  changed_ = true;
  if (content->empty()) {
    state_.objects.erase(*tag);
  } else {
    state_.objects[*tag] = to_bytes(*content);
  }
  return sw::ok;
}

}  // namespace cardea::vcard
