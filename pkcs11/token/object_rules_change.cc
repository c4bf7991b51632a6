// Changing, copying and destroying objects (PKCS#11 3.2, 4.1.2 and 4.1.3).
#include "token/attribute_rules.h"
#include "token/wrap_policy.h"

namespace cardea {
namespace {

using rules::AttributeRule;

bool to_true(ByteView value) noexcept {
  return value.size() == 1 && value.front() != CK_FALSE;
}

/// Attributes that go one way only (footnotes 11 and 12): whether the change goes the other way.
bool goes_back(const AttributeRule& rule, ByteView before, ByteView after) noexcept {
  if (rule.is(rules::only_up)) return to_true(before) && !to_true(after);
  if (rule.is(rules::only_down)) return !to_true(before) && to_true(after);
  return false;
}

bool may_change_at(const AttributeRule& rule, Origin origin, ByteView after) noexcept {
  if (rule.is(rules::clearable)) return after.empty();
  return rule.is(rules::settable) || (origin == Origin::copy && rule.is(rules::on_copy));
}

/// One attribute of a change. `attributes` is the object so far.
Status change(AttributeSet& attributes, const CK_ATTRIBUTE& wanted, Origin origin, const Actor& actor) {
  const AttributeRule* const rule = rules::find_rule(wanted.type, attributes);
  if (rule == nullptr) {
    return rules::is_known(wanted.type) ? Code::template_inconsistent : Code::attribute_type_invalid;
  }
  if (rule->kept_secret(attributes.get_bool(CKA_PRIVATE))) return Code::attribute_read_only;
  const ByteView given{static_cast<const Byte*>(wanted.pValue), wanted.ulValueLen};
  CARDEA_ASSIGN(const Bytes value, rules::canonical_value(rule->form, given));
  const auto before = attributes.get(wanted.type);
  // A copy may repeat what it keeps.
  if (origin == Origin::copy && before && same_bytes(*before, value)) return {};
  if (!may_change_at(*rule, origin, value)) return Code::attribute_read_only;
  if (before && goes_back(*rule, *before, value)) {
    // Privacy is no ladder of footnote 11 but a token's own restriction, for which 4.1.3 has this word.
    return wanted.type == CKA_PRIVATE ? Code::template_inconsistent : Code::attribute_read_only;
  }
  if (rule->is(rules::so_only) && to_true(value) && !actor.security_officer) return Code::attribute_read_only;
  attributes.set(wanted.type, value);
  return {};
}

/// A sensitive secret key gets no use that it never had: each new one could turn what it has wrapped into plaintext
/// (docs/objects.md, "Why a sensitive key cannot leave").
Status check_uses(const AttributeSet& before, const AttributeSet& after) {
  if (after.get_ulong(CKA_CLASS) != CKO_SECRET_KEY) return {};
  if (!before.get_bool(CKA_SENSITIVE) && !before.get_bool(CKA_TRUSTED)) return {};
  constexpr CK_ULONG uses = ever_wrap | ever_unwrap | ever_encrypt | ever_decrypt | ever_sign | ever_derive;
  const CK_ULONG known = usage_ever(before, before.get_ulong(CKA_CARDEA_EVER, 0));
  if ((usage_ever(after) & uses & ~known) != 0) {
    return error(Code::attribute_read_only, "a sensitive key cannot be given a further use");
  }
  return {};
}

Result<AttributeSet> with_changes(const AttributeSet& before, Template changes, Origin origin, const Actor& actor) {
  AttributeSet after = before;
  for (const CK_ATTRIBUTE& wanted : changes) CARDEA_TRY(change(after, wanted, origin, actor));
  CARDEA_TRY(check_uses(before, after));
  CARDEA_TRY(rules::check_consistency(after));
  if (const CK_ULONG ever = usage_ever(after, before.get_ulong(CKA_CARDEA_EVER, 0)); ever != 0) {
    after.set_ulong(CKA_CARDEA_EVER, ever);
  }
  return after;
}

}  // namespace

Result<AttributeSet> changed_attributes(const Object& object, Template changes, const Actor& actor) {
  CARDEA_TRY(rules::check_access(object.attributes, actor));
  if (!object.attributes.get_bool(CKA_MODIFIABLE, true)) return Code::action_prohibited;
  // 4.6.2: trusted certificates cannot be modified; the security officer can take the trust away first.
  const bool trusted_certificate =
      object.object_class() == CKO_CERTIFICATE && object.attributes.get_bool(CKA_TRUSTED) && !actor.security_officer;
  if (trusted_certificate) return Code::attribute_read_only;
  return with_changes(object.attributes, changes, Origin::create, actor);
}

Result<AttributeSet> copied_attributes(const Object& source, Template changes, const Actor& actor) {
  if (!source.attributes.get_bool(CKA_COPYABLE, true)) return Code::action_prohibited;
  AttributeSet origin = source.attributes;
  // The security officer trusted one object, not whatever is made of it.
  if (origin.get_bool(CKA_TRUSTED) && !actor.security_officer) origin.set_bool(CKA_TRUSTED, false);
  if (const CK_ULONG ever = usage_ever(source.attributes, origin.get_ulong(CKA_CARDEA_EVER, 0)); ever != 0) {
    origin.set_ulong(CKA_CARDEA_EVER, ever);
  }
  CARDEA_ASSIGN(AttributeSet copy, with_changes(origin, changes, Origin::copy, actor));
  CARDEA_TRY(rules::check_access(copy, actor));
  CARDEA_TRY(rules::set_unique_id(copy));
  return copy;
}

void settle_secrets(NewObject& object) {
  const CK_OBJECT_CLASS object_class = object.attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED);
  const bool is_private = object.attributes.get_bool(CKA_PRIVATE);
  std::vector<CK_ATTRIBUTE_TYPE> moved;
  object.attributes.for_each([&](const AttributeSet::Entry& entry) {
    if (!is_secret_attribute(object_class, entry.type, is_private)) return;
    object.secrets.insert_or_assign(entry.type, SecretBytes(entry.value));
    moved.push_back(entry.type);
  });
  for (const CK_ATTRIBUTE_TYPE type : moved) object.attributes.erase(type);
}

Status may_destroy(const Object& object, const Actor& actor) {
  CARDEA_TRY(rules::check_access(object.attributes, actor));
  if (!object.attributes.get_bool(CKA_DESTROYABLE, true)) return Code::action_prohibited;
  return {};
}

}  // namespace cardea
