// What a template leaves open, and what must hold between the attributes of one object.
#include <algorithm>
#include <array>

#include "crypto/random.h"
#include "token/attribute_rules.h"

namespace cardea::rules {
namespace {

/// The groups of uses that a template grants something of: the union of the for_… bits of its true uses.
std::uint32_t granted_groups(const AttributeSet& attributes) {
  std::uint32_t groups = 0;
  attributes.for_each([&](const AttributeSet::Entry& entry) {
    const AttributeRule* const rule = find_rule(entry.type, attributes);
    if (rule != nullptr && rule->is(any_use) && entry.value.front() != CK_FALSE) groups |= rule->rules & any_use;
  });
  return groups;
}

/// A use is granted by default when the key type has it and the template either says nothing about uses, or grants its
/// counterpart. A template that asks for a key that wraps therefore gets no key that decrypts.
bool use_by_default(const AttributeRule& rule, std::uint16_t kind, std::uint32_t granted) noexcept {
  if ((rule.by_default.kinds & kind) == 0) return false;
  return granted == 0 || (granted & rule.rules & any_use) != 0;
}

/// CKA_SENSITIVE and CKA_EXTRACTABLE (docs/objects.md, "Sensitive and extractable").
void fill_sensitivity(AttributeSet& attributes, Origin origin) {
  // What was unwrapped or derived inherits: finish_key knows from whom.
  if (origin == Origin::unwrap || origin == Origin::derive) return;
  const bool private_half = attributes.get_ulong(CKA_CLASS) == CKO_PRIVATE_KEY;
  if (!attributes.has(CKA_SENSITIVE)) attributes.set_bool(CKA_SENSITIVE, private_half);
  if (!attributes.has(CKA_EXTRACTABLE)) {
    attributes.set_bool(CKA_EXTRACTABLE, !private_half && !attributes.get_bool(CKA_SENSITIVE));
  }
}

/// Limits of numbers that stand for one of a few things (4.6.2).
Status check_choices(const AttributeSet& attributes) {
  if (attributes.get_ulong(CKA_CERTIFICATE_TYPE, CKC_X_509) != CKC_X_509) {
    return error(Code::attribute_value_invalid, "only X.509 certificates are stored");
  }
  if (attributes.get_ulong(CKA_CERTIFICATE_CATEGORY, 0) > CK_CERTIFICATE_CATEGORY_OTHER_ENTITY ||
      attributes.get_ulong(CKA_JAVA_MIDP_SECURITY_DOMAIN, 0) > CK_SECURITY_DOMAIN_THIRD_PARTY) {
    return Code::attribute_value_invalid;
  }
  return {};
}

bool empty(const AttributeSet& attributes, CK_ATTRIBUTE_TYPE type) {
  return attributes.get(type).value_or(ByteView{}).empty();
}

/// Value or URL, and with a URL the hashes that tie it to a key (4.6.3, footnotes 2 to 4).
Status check_certificate(const AttributeSet& attributes) {
  if (empty(attributes, CKA_URL)) {
    if (empty(attributes, CKA_VALUE)) return error(Code::template_incomplete, "neither CKA_VALUE nor CKA_URL is given");
    return {};
  }
  if (empty(attributes, CKA_HASH_OF_SUBJECT_PUBLIC_KEY) || empty(attributes, CKA_HASH_OF_ISSUER_PUBLIC_KEY)) {
    return error(Code::template_incomplete, "a certificate by CKA_URL needs the hashes of both public keys");
  }
  return {};
}

}  // namespace

std::optional<Bytes> fixed_default(const Default& by_default) {
  AttributeSet set;
  switch (by_default.value) {
    case Default::Value::empty:
      return Bytes{};
    case Default::Value::no:
      return Bytes{CK_FALSE};
    case Default::Value::yes:
      return Bytes{CK_TRUE};
    case Default::Value::zero:
      set.set_ulong(CKA_CLASS, 0);
      return to_bytes(*set.get(CKA_CLASS));
    case Default::Value::sha_1:
      set.set_ulong(CKA_CLASS, CKM_SHA_1);
      return to_bytes(*set.get(CKA_CLASS));
    case Default::Value::none:
    case Default::Value::usage:
    case Default::Value::computed:
      break;
  }
  return std::nullopt;
}

void fill_defaults(AttributeSet& attributes, Origin origin) {
  const std::uint16_t object_class = class_bit(attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED));
  const std::uint16_t kind = kind_of(attributes);
  const std::uint32_t granted = granted_groups(attributes);
  const auto applies = [&](const AttributeRule& rule) {
    return (rule.classes & object_class) != 0 && (rule.kinds & kind) != 0 && !attributes.has(rule.type);
  };
  for (const AttributeRule& rule : attribute_rules()) {
    if (!applies(rule)) continue;
    if (rule.by_default.value == Default::Value::usage) {
      attributes.set_bool(rule.type, use_by_default(rule, kind, granted));
    } else if (const auto value = fixed_default(rule.by_default);
               value && !rule.kept_secret(attributes.get_bool(CKA_PRIVATE))) {
      attributes.set(rule.type, *value);
    }
  }
  if ((object_class & (private_key | secret_key)) != 0) fill_sensitivity(attributes, origin);
}

Status check_consistency(const AttributeSet& attributes) {
  CARDEA_TRY(check_choices(attributes));
  if (attributes.get_ulong(CKA_CLASS) == CKO_CERTIFICATE) CARDEA_TRY(check_certificate(attributes));
  // 4.9: re-authentication makes sense only for what needs authentication at all.
  if (attributes.get_bool(CKA_ALWAYS_AUTHENTICATE) && !attributes.get_bool(CKA_PRIVATE)) {
    return error(Code::template_inconsistent, "CKA_ALWAYS_AUTHENTICATE needs CKA_PRIVATE");
  }
  return {};
}

Status check_access(const AttributeSet& attributes, const Actor& actor) {
  if (attributes.get_bool(CKA_TOKEN) && !actor.read_write) return Code::session_read_only;
  if (attributes.get_bool(CKA_PRIVATE) && actor.token_login_required && !actor.user) return Code::user_not_logged_in;
  return {};
}

Status set_unique_id(AttributeSet& attributes) {
  std::array<Byte, 16> uuid{};
  CARDEA_TRY(crypto::random_bytes(uuid));
  uuid[6] = static_cast<Byte>((uuid[6] & 0x0f) | 0x40);
  uuid[8] = static_cast<Byte>((uuid[8] & 0x3f) | 0x80);
  std::string text = to_hex(uuid);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  attributes.set_text(CKA_UNIQUE_ID, text);
  return {};
}

}  // namespace cardea::rules

namespace cardea {

void complete_attributes(AttributeSet& attributes) {
  rules::fill_defaults(attributes, Origin::create);
}

}  // namespace cardea
