// Values of attributes: from a caller's memory to the form that objects keep, and back to search for them.
#include <algorithm>
#include <cstring>

#include "token/attribute_rules.h"

namespace cardea {
namespace rules {
namespace {

/// Most entries of a nested template, and most mechanisms of CKA_ALLOWED_MECHANISMS.
constexpr std::size_t array_limit = 1024;
/// A type that no object has; a search for it finds nothing.
constexpr CK_ATTRIBUTE_TYPE matches_nothing = ~CK_ATTRIBUTE_TYPE{0};

/// Native numbers become little-endian ones through AttributeSet, which alone knows that form.
Bytes stored_number(CK_ULONG value) {
  AttributeSet set;
  set.set_ulong(CKA_CLASS, value);
  return to_bytes(*set.get(CKA_CLASS));
}

Bytes stored_numbers(ByteView native) {
  Bytes stored;
  stored.reserve(native.size());
  for (std::size_t at = 0; at < native.size(); at += sizeof(CK_ULONG)) {
    CK_ULONG value = 0;
    std::memcpy(&value, &native[at], sizeof value);
    const Bytes number = stored_number(value);
    stored.insert(stored.end(), number.begin(), number.end());
  }
  return stored;
}

int two_digits(ByteView text) noexcept {
  return (text[0] - '0') * 10 + (text[1] - '0');
}

/// "YYYYMMDD" with a month and a day that exist in some year; days beyond a month's end are left to the application, as
/// the standard attaches no meaning to dates (PKCS#11 3.2, 4.7).
bool is_date(ByteView value) noexcept {
  if (value.size() != sizeof(CK_DATE)) return value.empty();
  if (!std::ranges::all_of(value, [](Byte c) { return c >= '0' && c <= '9'; })) return false;
  const int month = two_digits(value.subspan(4));
  const int day = two_digits(value.subspan(6));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

Bytes without_leading_zeros(ByteView number) {
  const auto first = std::ranges::find_if(number, [](Byte byte) { return byte != 0; });
  // Zero itself keeps one byte, so that it differs from an empty value.
  return first == number.end() ? to_bytes(number.first(std::min<std::size_t>(number.size(), 1)))
                               : Bytes(first, number.end());
}

}  // namespace

Result<Bytes> canonical_value(AttributeForm form, ByteView callers) {
  const auto valid = [&](bool condition, auto convert) -> Result<Bytes> {
    if (!condition) return Code::attribute_value_invalid;
    return convert();
  };
  switch (form) {
    case AttributeForm::boolean:
      return valid(callers.size() == 1 && callers.front() <= CK_TRUE, [&] { return to_bytes(callers); });
    case AttributeForm::number:
      return valid(callers.size() == sizeof(CK_ULONG), [&] { return stored_numbers(callers); });
    case AttributeForm::mechanisms:
      return valid(callers.size() % sizeof(CK_ULONG) == 0 && callers.size() <= array_limit * sizeof(CK_ULONG),
                   [&] { return stored_numbers(callers); });
    case AttributeForm::date:
      return valid(is_date(callers), [&] { return to_bytes(callers); });
    case AttributeForm::big_integer:
      return without_leading_zeros(callers);
    case AttributeForm::attributes: {
      CARDEA_ASSIGN(const AttributeSet nested, nested_template(callers));
      return to_bytes(nested.serialised());
    }
    case AttributeForm::bytes:
    case AttributeForm::text:
    case AttributeForm::unknown:
      break;
  }
  return to_bytes(callers);
}

}  // namespace rules

namespace {

ByteView value_of(const CK_ATTRIBUTE& attribute) noexcept {
  return {static_cast<const Byte*>(attribute.pValue), attribute.ulValueLen};
}

}  // namespace

Result<AttributeSet> search_template(Template attributes) {
  AttributeSet match;
  for (const CK_ATTRIBUTE& wanted : attributes) {
    if (!rules::is_known(wanted.type)) {
      match.set(rules::matches_nothing, {});
      continue;
    }
    CARDEA_ASSIGN(const Bytes value, rules::canonical_value(attribute_form(wanted.type), value_of(wanted)));
    const auto earlier = match.get(wanted.type);
    // The same attribute with two values: no object has both.
    if (earlier && !same_bytes(*earlier, value)) match.set(rules::matches_nothing, {});
    match.set(wanted.type, value);
  }
  return match;
}

Result<AttributeSet> nested_template(ByteView caller_attributes) {
  if (caller_attributes.size() % sizeof(CK_ATTRIBUTE) != 0) return Code::attribute_value_invalid;
  const std::size_t count = caller_attributes.size() / sizeof(CK_ATTRIBUTE);
  if (count > rules::array_limit) return Code::attribute_value_invalid;
  AttributeSet nested;
  for (std::size_t i = 0; i < count; ++i) {
    // The caller's array may lie anywhere, aligned or not.
    CK_ATTRIBUTE attribute;
    std::memcpy(&attribute, &caller_attributes[i * sizeof attribute], sizeof attribute);
    if (attribute.pValue == nullptr && attribute.ulValueLen != 0) return Code::attribute_value_invalid;
    if (attribute.ulValueLen > value_limit) return Code::attribute_value_invalid;
    const AttributeForm form = attribute_form(attribute.type);
    if (form == AttributeForm::unknown) return Code::attribute_type_invalid;
    // Templates inside templates may be refused (PKCS#11 3.2, 4.7.3), which also bounds the recursion.
    if (form == AttributeForm::attributes) return Code::template_inconsistent;
    CARDEA_ASSIGN(const Bytes value, rules::canonical_value(form, value_of(attribute)));
    const auto earlier = nested.get(attribute.type);
    if (earlier && !same_bytes(*earlier, value)) return Code::template_inconsistent;
    nested.set(attribute.type, value);
  }
  return nested;
}

bool satisfies(const AttributeSet& attributes, const AttributeSet& required) noexcept {
  bool all = true;
  required.for_each([&](const AttributeSet::Entry& wanted) {
    const auto value = attributes.get(wanted.type);
    all = all && value && same_bytes(*value, wanted.value);
  });
  return all;
}

}  // namespace cardea
