#include "abi/template.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

namespace cardea::abi {
namespace {

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

/// The caller's array for a nested template, which may lie anywhere, aligned or not.
std::vector<CK_ATTRIBUTE> places_of(const CK_ATTRIBUTE& attribute, std::size_t count) {
  std::vector<CK_ATTRIBUTE> places(count);
  std::memcpy(places.data(), attribute.pValue, count * sizeof(CK_ATTRIBUTE));
  return places;
}

/// Fills the places by what their types ask for; false, with nothing written, when they do not ask for something that
/// is there, each for another: a caller who knows no types may have left them anything.
bool write_by_type(std::vector<CK_ATTRIBUTE>& places, const AttributeSet& nested, Obstacles& obstacles) {
  std::set<CK_ATTRIBUTE_TYPE> asked;
  const bool all_there = !places.empty() && std::ranges::all_of(places, [&](const CK_ATTRIBUTE& place) {
    return nested.has(place.type) && asked.insert(place.type).second;
  });
  if (!all_there) return false;
  for (CK_ATTRIBUTE& place : places) write_value(place, *nested.get(place.type), obstacles);
  return true;
}

/// Fills the places in order and tells their types, for a caller who does not know what is there.
void write_in_order(std::vector<CK_ATTRIBUTE>& places, const AttributeSet& nested, Obstacles& obstacles) {
  auto place = places.begin();
  nested.for_each([&](const AttributeSet::Entry& entry) {
    place->type = entry.type;
    write_value(*place, entry.value, obstacles);
    ++place;
  });
}

/// An attribute array goes out as CK_ATTRIBUTEs whose own places are filled like those of the call (5.7.5). The caller
/// asks for its size, then for its types and lengths (all types CK_UNAVAILABLE_INFORMATION), then for the values; of
/// the last he may leave some out (4.7.3).
void write_nested(CK_ATTRIBUTE& attribute, ByteView serialised, Obstacles& obstacles) {
  const Result<AttributeSet> parsed = AttributeSet::parse(serialised);
  const AttributeSet nested = parsed ? *parsed : AttributeSet{};
  const std::size_t needed = nested.count() * sizeof(CK_ATTRIBUTE);
  if (attribute.pValue == nullptr) {
    attribute.ulValueLen = needed;
    return;
  }
  const std::size_t count = std::min(attribute.ulValueLen, needed) / sizeof(CK_ATTRIBUTE);
  std::vector<CK_ATTRIBUTE> places = places_of(attribute, count);
  if (!write_by_type(places, nested, obstacles)) {
    if (attribute.ulValueLen < needed) {
      attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
      obstacles.too_small = true;
      return;
    }
    write_in_order(places, nested, obstacles);
  }
  std::memcpy(attribute.pValue, places.data(), count * sizeof(CK_ATTRIBUTE));
  attribute.ulValueLen = count * sizeof(CK_ATTRIBUTE);
}

}  // namespace

Result<Template> caller_template(const CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (attributes == nullptr && count != 0) return Code::arguments_bad;
  if (count > template_limit) return Code::template_inconsistent;
  const Template wanted{attributes, count};
  const bool sound = std::all_of(wanted.begin(), wanted.end(), [](const CK_ATTRIBUTE& attribute) {
    return attribute.ulValueLen <= value_limit && (attribute.pValue != nullptr || attribute.ulValueLen == 0);
  });
  if (!sound) return Code::attribute_value_invalid;
  return wanted;
}

Status read_attributes(const AttributeSource& source, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (attributes == nullptr || count > template_limit) return Code::arguments_bad;
  Obstacles obstacles;
  for (CK_ATTRIBUTE& attribute : std::span(attributes, count)) {
    const Result<AttributeReader::Value> value = source(attribute.type);
    if (!value) return value.error();
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
