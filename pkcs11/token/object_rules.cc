// From a caller's template to a new object (PKCS#11 3.2, 4.1.1).
#include "token/object_rules.h"

#include <algorithm>
#include <vector>

#include "token/attribute_rules.h"
#include "token/wrap_policy.h"

namespace cardea {
namespace {

using rules::AttributeRule;

/// One attribute of the template with the rule that holds for it.
struct Given {
  const AttributeRule* rule;
  ByteView value;
};

ByteView value_of(const CK_ATTRIBUTE& attribute) noexcept {
  return {static_cast<const Byte*>(attribute.pValue), attribute.ulValueLen};
}

/// A number that decides which rules hold, out of the preset or the template.
Result<std::optional<CK_ULONG>> deciding_number(CK_ATTRIBUTE_TYPE type, Template attributes,
                                                const AttributeSet& preset) {
  if (const auto fixed = preset.get_ulong(type)) return fixed;
  const auto found = std::ranges::find(attributes, type, &CK_ATTRIBUTE::type);
  if (found == attributes.end()) return std::optional<CK_ULONG>{};
  CARDEA_ASSIGN(const Bytes value, rules::canonical_value(AttributeForm::number, value_of(*found)));
  AttributeSet number;
  number.set(type, value);
  return number.get_ulong(type);
}

/// What the object is going to be: its class and, for keys, the kind of its type.
struct Shape {
  std::uint16_t object_class;
  std::uint16_t kind;
};

Result<Shape> shape_of(Template attributes, const AttributeSet& preset) {
  CARDEA_ASSIGN(const std::optional<CK_ULONG> object_class, deciding_number(CKA_CLASS, attributes, preset));
  if (!object_class) return error(Code::template_incomplete, "CKA_CLASS is missing");
  const std::uint16_t bit = rules::class_bit(*object_class);
  // Objects that describe the module exist by themselves (4.1.1).
  if (bit == 0 || bit == rules::built_in) return error(Code::attribute_value_invalid, "no such class can be created");
  if ((bit & rules::keys) == 0) return Shape{bit, rules::any};
  CARDEA_ASSIGN(const std::optional<CK_ULONG> key_type, deciding_number(CKA_KEY_TYPE, attributes, preset));
  if (!key_type) return error(Code::template_incomplete, "CKA_KEY_TYPE is missing");
  const rules::KeyTypeRule* const rule = rules::find_key_type(*key_type);
  if (rule == nullptr) return error(Code::attribute_value_invalid, "no mechanism uses this key type");
  if ((rule->halves == rules::Halves::single) != (bit == rules::secret_key)) {
    return error(Code::template_inconsistent, "the key type is of another class");
  }
  return Shape{bit, rule->kind};
}

bool forbidden_at(const AttributeRule& rule, Origin origin) noexcept {
  switch (origin) {
    case Origin::create:
      return rule.is(rules::create_not);
    case Origin::generate:
      return rule.is(rules::generate_not);
    case Origin::unwrap:
    case Origin::derive:
      return rule.is(rules::unwrap_not);
    case Origin::copy:
      break;
  }
  return false;
}

Status check_given(const Given& given, Origin origin, const AttributeSet& preset, const Actor& actor) {
  const AttributeRule& rule = *given.rule;
  if (forbidden_at(rule, origin)) return Code::attribute_read_only;
  CARDEA_ASSIGN(const Bytes value, rules::canonical_value(rule.form, given.value));
  if (rule.is(rules::so_only) && value.front() != CK_FALSE && !actor.security_officer) {
    return error(Code::attribute_read_only, "only the security officer may trust an object");
  }
  const auto fixed = preset.get(rule.type);
  if (fixed && !same_bytes(*fixed, value)) return error(Code::template_inconsistent, "the call fixes another value");
  return {};
}

/// Every attribute of the template with its rule, each type once.
Result<std::vector<Given>> checked_template(Origin origin, Template attributes, const AttributeSet& preset, Shape shape,
                                            const Actor& actor) {
  std::vector<Given> all;
  all.reserve(attributes.size());
  for (const CK_ATTRIBUTE& attribute : attributes) {
    const AttributeRule* const rule = rules::find_rule(attribute.type, shape.object_class, shape.kind);
    if (rule == nullptr) {
      return rules::is_known(attribute.type) ? Code::template_inconsistent : Code::attribute_type_invalid;
    }
    const Given given{rule, value_of(attribute)};
    const auto earlier = std::ranges::find(all, rule, &Given::rule);
    if (earlier == all.end()) {
      CARDEA_TRY(check_given(given, origin, preset, actor));
      all.push_back(given);
    } else if (!same_bytes(earlier->value, given.value)) {
      return error(Code::template_inconsistent, "one attribute with two values");
    }
  }
  return all;
}

/// Secret attributes with a default: the empty value of a private data object.
void fill_secret_defaults(NewObject& object, Shape shape) {
  if (!object.attributes.get_bool(CKA_PRIVATE)) return;
  for (const AttributeRule& rule : rules::attribute_rules()) {
    if (rule.is(rules::secret_if_private) && (rule.classes & shape.object_class) != 0) {
      object.secrets.try_emplace(rule.type);
    }
  }
}

/// The attributes that the call itself fixes must exist for the class as well (a CKA_UNWRAP_TEMPLATE may not fit).
Status apply_preset(NewObject& object, const AttributeSet& preset, Shape shape, const Actor& actor) {
  Status status;
  preset.for_each([&](const AttributeSet::Entry& entry) {
    const AttributeRule* const rule = rules::find_rule(entry.type, shape.object_class, shape.kind);
    const bool trusts =
        rule != nullptr && rule->is(rules::so_only) && entry.value.size() == 1 && entry.value.front() != CK_FALSE;
    const bool settles_by_itself = rule != nullptr && (rule->is(rules::secret) || rule->is(rules::unwrap_not));
    if (rule == nullptr || settles_by_itself || (trusts && !actor.security_officer)) {
      status = error(Code::template_inconsistent, "the key's own template does not fit the new object");
      return;
    }
    object.attributes.set(entry.type, entry.value);
  });
  return status;
}

Status check_complete(const NewObject& object, Origin origin, Shape shape) {
  if (origin != Origin::create && origin != Origin::generate) return {};
  const auto demanded = origin == Origin::create ? rules::create_must : rules::generate_must;
  for (const AttributeRule& rule : rules::attribute_rules()) {
    if (!rule.is(demanded) || (rule.classes & shape.object_class) == 0 || (rule.kinds & shape.kind) == 0) continue;
    if (!object.attributes.has(rule.type) && !object.secrets.contains(rule.type)) {
      return error(Code::template_incomplete, "an attribute that the standard demands is missing");
    }
  }
  // Either form of the private key will do (6.67.3, 6.69.3).
  const bool expandable = shape.object_class == rules::private_key && (shape.kind & (rules::ml_dsa | rules::ml_kem));
  if (origin == Origin::create && expandable && !object.secrets.contains(CKA_VALUE) &&
      !object.secrets.contains(CKA_SEED)) {
    return error(Code::template_incomplete, "neither CKA_VALUE nor CKA_SEED is given");
  }
  return {};
}

}  // namespace

Result<NewObject> new_object(Origin origin, Template attributes, const AttributeSet& preset, const Actor& actor) {
  CARDEA_ASSIGN(const Shape shape, shape_of(attributes, preset));
  CARDEA_ASSIGN(const std::vector<Given> given, checked_template(origin, attributes, preset, shape, actor));
  NewObject object;
  CARDEA_TRY(apply_preset(object, preset, shape, actor));
  for (const Given& each : given) {
    if (each.rule->is(rules::secret | rules::secret_if_private)) continue;
    CARDEA_ASSIGN(const Bytes value, rules::canonical_value(each.rule->form, each.value));
    object.attributes.set(each.rule->type, value);
  }
  rules::fill_defaults(object.attributes, origin);
  const bool is_private = object.attributes.get_bool(CKA_PRIVATE);
  for (const Given& each : given) {
    if (each.rule->kept_secret(is_private)) {
      object.secrets.insert_or_assign(each.rule->type, SecretBytes(each.value));
    } else if (each.rule->is(rules::secret_if_private)) {
      object.attributes.set(each.rule->type, each.value);
    }
  }
  fill_secret_defaults(object, shape);
  CARDEA_TRY(check_complete(object, origin, shape));
  CARDEA_TRY(rules::check_consistency(object.attributes));
  CARDEA_TRY(rules::check_access(object.attributes, actor));
  CARDEA_TRY(rules::set_unique_id(object.attributes));
  if (const CK_ULONG ever = usage_ever(object.attributes); ever != 0) {
    object.attributes.set_ulong(CKA_CARDEA_EVER, ever);
  }
  return object;
}

}  // namespace cardea
