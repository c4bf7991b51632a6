// From a caller's template to a new object (PKCS#11 3.2, 4.1.1).
#include "token/object_rules.h"

#include <algorithm>
#include <vector>

#include "cryptoki/names.h"
#include "token/attribute_rules.h"
#include "token/wrap_policy.h"

namespace cardea {
namespace {

using rules::AttributeRule;

/// One attribute of the template with the rule that holds for it. What may become a secret stays where the caller has
/// it until it goes into SecretBytes; everything else is copied when it is checked.
struct Given {
  const AttributeRule* rule;
  ByteView callers;
  Bytes value;
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

/// What the object is going to be: its class and, for keys, the kind of its type; `fixed` is the preset with both.
struct Shape {
  std::uint16_t object_class = 0;
  std::uint16_t kind = rules::any;
  AttributeSet fixed;
};

Result<Shape> shape_of(Template attributes, const AttributeSet& preset) {
  CARDEA_ASSIGN(const std::optional<CK_ULONG> object_class, deciding_number(CKA_CLASS, attributes, preset));
  if (!object_class) return error(Code::template_incomplete, "CKA_CLASS is missing");
  Shape shape{.object_class = rules::class_bit(*object_class), .fixed = preset};
  // Objects that describe the module exist by themselves (4.1.1).
  if (shape.object_class == 0 || shape.object_class == rules::built_in) {
    return error(Code::attribute_value_invalid, "no such class can be created");
  }
  shape.fixed.set_ulong(CKA_CLASS, *object_class);
  if ((shape.object_class & rules::keys) == 0) return shape;
  CARDEA_ASSIGN(const std::optional<CK_ULONG> key_type, deciding_number(CKA_KEY_TYPE, attributes, preset));
  if (!key_type) return error(Code::template_incomplete, "CKA_KEY_TYPE is missing");
  const rules::KeyTypeRule* const rule = rules::find_key_type(*key_type);
  if (rule == nullptr) return error(Code::attribute_value_invalid, "no mechanism uses this key type");
  if ((rule->halves == rules::Halves::single) != (shape.object_class == rules::secret_key)) {
    return error(Code::template_inconsistent, "the key type is of another class");
  }
  shape.kind = rule->kind;
  shape.fixed.set_ulong(CKA_KEY_TYPE, *key_type);
  return shape;
}

/// What calls of that kind make (5.18.3 to 5.18.5). Anything else would show in clear what comes out of a key: the
/// value of a certificate or of a public key is no secret.
bool makes(Origin origin, std::uint16_t object_class) noexcept {
  switch (origin) {
    case Origin::unwrap:
      return object_class == rules::secret_key || object_class == rules::private_key;
    case Origin::derive:
      return object_class == rules::secret_key || object_class == rules::data;
    default:
      return true;
  }
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

Result<Given> checked(const AttributeRule& rule, ByteView callers, Origin origin, const Shape& shape,
                      const Actor& actor) {
  if (forbidden_at(rule, origin)) return Code::attribute_read_only;
  Given given{&rule, callers, {}};
  if (rule.is(rules::secret | rules::secret_if_private)) return given;
  CARDEA_ASSIGN(given.value, rules::canonical_value(rule.form, callers));
  if (rule.is(rules::so_only) && given.value.front() != CK_FALSE && !actor.security_officer) {
    return error(Code::attribute_read_only, "only the security officer may trust an object");
  }
  const auto fixed = shape.fixed.get(rule.type);
  if (fixed && !same_bytes(*fixed, given.value)) {
    return error(Code::template_inconsistent, "the call fixes another value");
  }
  return given;
}

/// Every attribute of the template with its rule, each type once.
Result<std::vector<Given>> checked_template(Origin origin, Template attributes, const Shape& shape,
                                            const Actor& actor) {
  std::vector<Given> all;
  all.reserve(attributes.size());
  for (const CK_ATTRIBUTE& attribute : attributes) {
    const AttributeRule* const rule = rules::find_rule(attribute.type, shape.object_class, shape.kind);
    if (rule == nullptr) {
      return rules::is_known(attribute.type) ? Code::template_inconsistent : Code::attribute_type_invalid;
    }
    const auto earlier = std::ranges::find(all, rule, &Given::rule);
    if (earlier == all.end()) {
      CARDEA_ASSIGN(Given given, checked(*rule, value_of(attribute), origin, shape, actor));
      all.push_back(std::move(given));
    } else if (!same_bytes(earlier->callers, value_of(attribute))) {
      return error(Code::template_inconsistent, "one attribute with two values");
    }
  }
  return all;
}

/// Secret attributes with a default: the empty value of a private data object.
void fill_secret_defaults(NewObject& object, const Shape& shape) {
  if (!object.attributes.get_bool(CKA_PRIVATE)) return;
  for (const AttributeRule& rule : rules::attribute_rules()) {
    if (rule.is(rules::secret_if_private) && (rule.classes & shape.object_class) != 0) {
      object.secrets.try_emplace(rule.type);
    }
  }
}

/// The attributes that the call itself fixes must exist for the class as well (a CKA_UNWRAP_TEMPLATE may not fit).
Status apply_fixed(NewObject& object, const Shape& shape, const Actor& actor) {
  Status status;
  shape.fixed.for_each([&](const AttributeSet::Entry& entry) {
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

Status check_complete(const NewObject& object, Origin origin, const Shape& shape) {
  if (origin != Origin::create && origin != Origin::generate) return {};
  const auto demanded = origin == Origin::create ? rules::create_must : rules::generate_must;
  for (const AttributeRule& rule : rules::attribute_rules()) {
    if (!rule.is(demanded) || (rule.classes & shape.object_class) == 0 || (rule.kinds & shape.kind) == 0) continue;
    if (!object.attributes.has(rule.type) && !object.secrets.contains(rule.type)) {
      return error(Code::template_incomplete, constant_text(ConstantKind::CKA, rule.type) + " is missing");
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
  if (!makes(origin, shape.object_class)) return error(Code::template_inconsistent, "not a class that this call makes");
  CARDEA_ASSIGN(const std::vector<Given> given, checked_template(origin, attributes, shape, actor));
  NewObject object;
  CARDEA_TRY(apply_fixed(object, shape, actor));
  for (const Given& each : given) {
    if (!each.rule->is(rules::secret | rules::secret_if_private)) object.attributes.set(each.rule->type, each.value);
  }
  rules::fill_defaults(object.attributes, origin);
  const bool is_private = object.attributes.get_bool(CKA_PRIVATE);
  for (const Given& each : given) {
    if (each.rule->kept_secret(is_private)) {
      object.secrets.insert_or_assign(each.rule->type, SecretBytes(each.callers));
    } else if (each.rule->is(rules::secret_if_private)) {
      object.attributes.set(each.rule->type, each.callers);
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
