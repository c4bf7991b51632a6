#include "abi/template.h"

#include <algorithm>

namespace cardea::abi {
namespace {

constexpr CK_ULONG absurd_length = CK_ULONG{1} << 32;

/// What stood in the way of single attributes of one call.
struct Obstacles {
  bool sensitive = false;
  bool unknown = false;
  bool too_small = false;

  Status status() const {
    if (sensitive) return Code::attribute_sensitive;
    if (unknown) return Code::attribute_type_invalid;
    if (too_small) return Code::buffer_too_small;
    return {};
  }
};

/// Copies a value into the caller's place for it, or only its length when there is no place.
void write_value(CK_ATTRIBUTE& attribute, ByteView value, Obstacles& obstacles) {
  if (attribute.pValue == nullptr) {
    attribute.ulValueLen = value.size();
  } else if (attribute.ulValueLen < value.size()) {
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    obstacles.too_small = true;
  } else {
    std::copy(value.begin(), value.end(), static_cast<Byte*>(attribute.pValue));
    attribute.ulValueLen = value.size();
  }
}

/// An attribute array goes out as CK_ATTRIBUTEs whose own places are filled like those of the call (5.7.5, last notes).
void write_nested(CK_ATTRIBUTE& attribute, ByteView serialised, Obstacles& obstacles) {
  const Result<AttributeSet> parsed = AttributeSet::parse(serialised);
  const AttributeSet nested = parsed ? *parsed : AttributeSet{};
  const std::size_t needed = nested.count() * sizeof(CK_ATTRIBUTE);
  if (attribute.pValue == nullptr) {
    attribute.ulValueLen = needed;
    return;
  }
  if (attribute.ulValueLen < needed) {
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    obstacles.too_small = true;
    return;
  }
  auto* out = static_cast<CK_ATTRIBUTE*>(attribute.pValue);
  nested.for_each([&](const AttributeSet::Entry& entry) {
    out->type = entry.type;
    write_value(*out, entry.value, obstacles);
    ++out;
  });
  attribute.ulValueLen = needed;
}

}  // namespace

Result<Template> caller_template(const CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (attributes == nullptr && count != 0) return Code::arguments_bad;
  if (count > template_limit) return Code::template_inconsistent;
  const Template wanted{attributes, count};
  const bool sound = std::all_of(wanted.begin(), wanted.end(), [](const CK_ATTRIBUTE& attribute) {
    return attribute.ulValueLen < absurd_length && (attribute.pValue != nullptr || attribute.ulValueLen == 0);
  });
  if (!sound) return Code::attribute_value_invalid;
  return wanted;
}

Status read_attributes(AttributeReader& reader, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (attributes == nullptr || count > template_limit) return Code::arguments_bad;
  Obstacles obstacles;
  for (CK_ATTRIBUTE& attribute : std::span(attributes, count)) {
    Result<AttributeReader::Value> value = reader.read(attribute.type);
    if (!value) return std::move(value).error();
    switch (value->visibility) {
      case Visibility::sensitive:
        attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
        obstacles.sensitive = true;
        break;
      case Visibility::absent:
        attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
        obstacles.unknown = true;
        break;
      case Visibility::shown:
      case Visibility::secret:
        if (attribute_form(attribute.type) == AttributeForm::attributes) {
          write_nested(attribute, value->bytes, obstacles);
        } else {
          write_value(attribute, value->bytes, obstacles);
        }
        break;
    }
  }
  return obstacles.status();
}

}  // namespace cardea::abi
