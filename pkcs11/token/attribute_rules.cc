#include "token/attribute_rules.h"

#include <algorithm>

#include "token/wrap_policy.h"

namespace cardea::rules {
namespace {

constexpr std::size_t longest_secret = std::size_t{1} << 20;

constexpr Default usage(std::uint16_t kinds) {
  return {Default::Value::usage, kinds};
}

/// Gives the words of the columns "form" and "default" their meaning, where the macro puts them.
namespace words {
using enum AttributeForm;
}
namespace defaults {
constexpr Default none{Default::Value::none};
constexpr Default empty{Default::Value::empty};
constexpr Default no{Default::Value::no};
constexpr Default yes{Default::Value::yes};
constexpr Default zero{Default::Value::zero};
constexpr Default sha_1{Default::Value::sha_1};
constexpr Default computed{Default::Value::computed};
using rules::usage;
}  // namespace defaults

constexpr AttributeRule attribute_table[] = {
#define CARDEA_ATTRIBUTE(type, form, classes, kinds, rules, by_default) \
  {type, words::form, classes, kinds, rules, defaults::by_default},
#include "token/attributes.def"
#undef CARDEA_ATTRIBUTE
};

constexpr KeyTypeRule key_type_table[] = {
#define CARDEA_KEY_TYPE(type, kind, halves, shortest, longest, step, check_value) \
  {type, kind, Halves::halves, shortest, longest, step, CheckValue::check_value},
#include "token/key_types.def"
#undef CARDEA_KEY_TYPE
};

}  // namespace

std::span<const AttributeRule> attribute_rules() noexcept {
  return attribute_table;
}

std::uint16_t class_bit(CK_OBJECT_CLASS object_class) noexcept {
  switch (object_class) {
    case CKO_DATA:
      return data;
    case CKO_CERTIFICATE:
      return certificate;
    case CKO_PUBLIC_KEY:
      return public_key;
    case CKO_PRIVATE_KEY:
      return private_key;
    case CKO_SECRET_KEY:
      return secret_key;
    case CKO_PROFILE:
    case CKO_MECHANISM:
    case CKO_HW_FEATURE:
      return built_in;
    default:
      return 0;
  }
}

const KeyTypeRule* find_key_type(CK_KEY_TYPE type) noexcept {
  const auto* const found = std::ranges::find(key_type_table, type, &KeyTypeRule::type);
  return found == std::end(key_type_table) ? nullptr : found;
}

std::uint16_t kind_of(const AttributeSet& attributes) noexcept {
  const auto type = attributes.get_ulong(CKA_KEY_TYPE);
  const KeyTypeRule* const rule = type ? find_key_type(*type) : nullptr;
  return rule == nullptr ? std::uint16_t{any} : std::uint16_t{rule->kind};
}

const AttributeRule* find_rule(CK_ATTRIBUTE_TYPE type, std::uint16_t object_class, std::uint16_t kind) noexcept {
  const auto* const found = std::ranges::find_if(attribute_table, [&](const AttributeRule& rule) {
    return rule.type == type && (rule.classes & object_class) != 0 && (rule.kinds & kind) != 0;
  });
  return found == std::end(attribute_table) ? nullptr : found;
}

const AttributeRule* find_rule(CK_ATTRIBUTE_TYPE type, const AttributeSet& object) noexcept {
  return find_rule(type, class_bit(object.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED)), kind_of(object));
}

bool is_known(CK_ATTRIBUTE_TYPE type) noexcept {
  return std::ranges::find(attribute_table, type, &AttributeRule::type) != std::end(attribute_table);
}

}  // namespace cardea::rules

namespace cardea {

AttributeForm attribute_form(CK_ATTRIBUTE_TYPE type) noexcept {
  const auto rules = rules::attribute_rules();
  const auto found = std::ranges::find(rules, type, &rules::AttributeRule::type);
  return found == rules.end() ? AttributeForm::unknown : found->form;
}

bool is_secret_attribute(CK_OBJECT_CLASS object_class, CK_ATTRIBUTE_TYPE type, bool object_is_private) noexcept {
  // No attribute is secret for one key type and public for another of the same class, so any line of the class answers.
  const rules::AttributeRule* const rule = rules::find_rule(type, rules::class_bit(object_class), rules::any);
  return rule != nullptr && rule->kept_secret(object_is_private);
}

Visibility visibility(const Object& object, CK_ATTRIBUTE_TYPE type) noexcept {
  const rules::AttributeRule* const rule = rules::find_rule(type, object.attributes);
  if (rule == nullptr) return Visibility::absent;
  if (!rule->kept_secret(object.is_private())) {
    if (object.attributes.has(type)) return Visibility::shown;
    return type == CKA_VALUE && object.object_class() == CKO_DATA ? Visibility::secret : Visibility::absent;
  }
  if (!rule->is(rules::secret)) return Visibility::secret;
  const bool readable = !object.attributes.get_bool(CKA_SENSITIVE, true) && object.attributes.get_bool(CKA_EXTRACTABLE);
  return readable ? Visibility::secret : Visibility::sensitive;
}

}  // namespace cardea
