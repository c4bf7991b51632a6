// The facts about how a key came to be, and what follows from its value.
#include <algorithm>
#include <array>

#include "crypto/check_value.h"
#include "crypto/digest.h"
#include "token/attribute_rules.h"
#include "token/wrap_policy.h"

namespace cardea {
namespace {

constexpr std::size_t check_value_size = 3;

/// Shortest key that may be derived from a sensitive one, in bytes: 112 bits, the least that NIST SP 800-131A calls
/// strong. A shorter key can be found by trial, and then the next one that shares its beginning.
constexpr std::size_t shortest_derived = 14;

/// Derivations whose result contains the source's bits as they are.
constexpr std::array transparent{CKM_CONCATENATE_BASE_AND_KEY, CKM_CONCATENATE_BASE_AND_DATA,
                                 CKM_CONCATENATE_DATA_AND_BASE, CKM_XOR_BASE_AND_DATA, CKM_EXTRACT_KEY_FROM_KEY};

/// Gives CKA_SENSITIVE or CKA_EXTRACTABLE a value where the template left it open, and refuses one that lowers
/// protection. `demanded` is what the facts demand, absent when they leave it to the template.
Status settle(AttributeSet& attributes, CK_ATTRIBUTE_TYPE type, std::optional<bool> demanded, bool by_default) {
  if (!attributes.has(type)) {
    attributes.set_bool(type, demanded.value_or(by_default));
    return {};
  }
  if (demanded && attributes.get_bool(type) != *demanded) {
    return error(Code::template_inconsistent, "the new key would be protected less than what it comes from");
  }
  return {};
}

/// CKA_SENSITIVE and CKA_EXTRACTABLE of unwrapped and derived keys; those of others are decided already.
Status settle_sensitivity(AttributeSet& attributes, Origin origin, const KeyFacts& facts) {
  const bool private_half = attributes.get_ulong(CKA_CLASS) == CKO_PRIVATE_KEY;
  const bool derived = origin == Origin::derive;
  const bool must_be_sensitive = facts.must_be_sensitive || (derived && facts.sources_sensitive);
  CARDEA_TRY(settle(attributes, CKA_SENSITIVE, must_be_sensitive ? std::optional(true) : std::nullopt, private_half));
  if (!derived) return settle(attributes, CKA_EXTRACTABLE, {}, true);
  const bool as_its_source = facts.sources_sensitive || !attributes.get_bool(CKA_SENSITIVE);
  return settle(attributes, CKA_EXTRACTABLE, facts.sources_extractable ? std::nullopt : std::optional(false),
                as_its_source);
}

/// CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE (5.18): created and unwrapped keys were outside once, and a key made
/// from a password is known to whoever knows the password.
void set_history(AttributeSet& attributes, Origin origin, const KeyFacts& facts) {
  const bool generated = origin == Origin::generate && facts.mechanism != CKM_PKCS5_PBKD2;
  const bool derived = origin == Origin::derive;
  const bool confined = generated || (derived && facts.sources_always_sensitive);
  const bool kept = generated || (derived && facts.sources_never_extractable);
  attributes.set_bool(CKA_ALWAYS_SENSITIVE, confined && attributes.get_bool(CKA_SENSITIVE));
  attributes.set_bool(CKA_NEVER_EXTRACTABLE, kept && !attributes.get_bool(CKA_EXTRACTABLE));
}

/// Keeps a sensitive source from being guessed piece by piece through short or overlapping keys derived from it.
Status check_derived_size(std::size_t size, const KeyFacts& facts) {
  if (facts.sensitive_length == 0) return {};
  const bool shows_pieces = std::ranges::find(transparent, facts.derivation) != transparent.end();
  if (size < shortest_derived || (shows_pieces && size < facts.sensitive_length)) {
    return error(Code::template_inconsistent, "a part of a sensitive key is too easy to guess");
  }
  return {};
}

/// CKA_VALUE_LEN as it is, having been right where it was asked for.
Status check_length(AttributeSet& attributes, const rules::KeyTypeRule& type, std::size_t size, Origin origin) {
  const auto asked = attributes.get_ulong(CKA_VALUE_LEN);
  if (asked && *asked != size) {
    return origin == Origin::unwrap ? Code::wrapped_key_length : Code::template_inconsistent;
  }
  if (!type.fits(size)) {
    switch (origin) {
      case Origin::create:
        return Code::attribute_value_invalid;
      case Origin::unwrap:
        return Code::wrapped_key_length;
      default:
        return Code::key_size_range;
    }
  }
  attributes.set_ulong(CKA_VALUE_LEN, size);
  return {};
}

Result<Bytes> check_value(rules::CheckValue how, ByteView value) {
  Bytes whole;
  if (how == rules::CheckValue::encrypted_zeros) {
    CARDEA_ASSIGN(whole, crypto::encrypted_zero_block(value));
  } else {
    CARDEA_ASSIGN(whole, crypto::digest(Hash::sha1, value));
  }
  whole.resize(check_value_size);
  return whole;
}

/// Computes CKA_CHECK_VALUE unless it was given empty; one that was given must be right (4.10).
Status settle_check_value(AttributeSet& attributes, rules::CheckValue how, ByteView value) {
  const auto given = attributes.get(CKA_CHECK_VALUE);
  if (given && given->empty()) return {};
  if (how == rules::CheckValue::unchecked) {
    if (given) return error(Code::attribute_value_invalid, "keys of this type have no check value");
    return {};
  }
  CARDEA_ASSIGN(const Bytes right, check_value(how, value));
  if (given && !same_bytes(*given, right)) return error(Code::attribute_value_invalid, "CKA_CHECK_VALUE is wrong");
  attributes.set(CKA_CHECK_VALUE, right);
  return {};
}

Status finish_secret_key(NewObject& object, Origin origin, const KeyFacts& facts) {
  const rules::KeyTypeRule* const type = rules::find_key_type(object.attributes.get_ulong(CKA_KEY_TYPE, ~0UL));
  if (type == nullptr || type->halves != rules::Halves::single) return Code::attribute_value_invalid;
  const auto value = object.secrets.find(CKA_VALUE);
  if (value == object.secrets.end()) return error(Code::template_incomplete, "the key has no value");
  CARDEA_TRY(check_length(object.attributes, *type, value->second.size(), origin));
  if (origin == Origin::derive) CARDEA_TRY(check_derived_size(value->second.size(), facts));
  return settle_check_value(object.attributes, type->check_value, value->second.view());
}

Status finish_certificate(AttributeSet& attributes) {
  const ByteView value = attributes.get(CKA_VALUE).value_or(ByteView{});
  if (value.empty()) {
    if (!attributes.has(CKA_CHECK_VALUE)) attributes.set(CKA_CHECK_VALUE, {});
    return {};
  }
  return settle_check_value(attributes, rules::CheckValue::hashed, value);
}

/// Data derived from a sensitive key would be read by anyone, and equals the key that the same derivation makes.
Status finish_data(Origin origin, const KeyFacts& facts) {
  if (origin == Origin::derive && facts.sensitive_length != 0) {
    return error(Code::template_inconsistent, "what comes from a sensitive key must be a sensitive key");
  }
  return {};
}

}  // namespace

KeyFacts derived_facts(CK_MECHANISM_TYPE mechanism, const Object& base) {
  KeyFacts facts;
  facts.derivation = mechanism;
  add_source(facts, base);
  return facts;
}

void add_source(KeyFacts& facts, const Object& source) {
  const AttributeSet& attributes = source.attributes;
  facts.sources_always_sensitive = facts.sources_always_sensitive && attributes.get_bool(CKA_ALWAYS_SENSITIVE);
  facts.sources_never_extractable = facts.sources_never_extractable && attributes.get_bool(CKA_NEVER_EXTRACTABLE);
  if (source.object_class() != CKO_SECRET_KEY) return;
  // HMAC or a block cipher under the source computes what an HMAC or CMAC based derivation makes of it: the derived
  // key's value is then within the caller's reach, and its history must not say otherwise.
  constexpr CK_ULONG computes = ever_sign | ever_encrypt | ever_decrypt;
  if ((usage_ever(attributes, attributes.get_ulong(CKA_CARDEA_EVER, 0)) & computes) != 0) {
    facts.sources_always_sensitive = facts.sources_never_extractable = false;
  }
  const bool sensitive = attributes.get_bool(CKA_SENSITIVE, true);
  const bool extractable = attributes.get_bool(CKA_EXTRACTABLE);
  facts.sources_sensitive = facts.sources_sensitive || sensitive;
  facts.sources_extractable = facts.sources_extractable && extractable;
  if (sensitive || !extractable)
    facts.sensitive_length += std::max<CK_ULONG>(attributes.get_ulong(CKA_VALUE_LEN, 1), 1);
}

Status finish_key(NewObject& object, Origin origin, const KeyFacts& facts) {
  AttributeSet& attributes = object.attributes;
  const CK_OBJECT_CLASS object_class = attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED);
  if (object_class == CKO_DATA) return finish_data(origin, facts);
  if (object_class == CKO_CERTIFICATE) return finish_certificate(attributes);
  attributes.set_bool(CKA_LOCAL, facts.local);
  attributes.set_ulong(CKA_KEY_GEN_MECHANISM, facts.local ? facts.mechanism : CK_UNAVAILABLE_INFORMATION);
  if (object_class == CKO_PUBLIC_KEY) return {};
  CARDEA_TRY(settle_sensitivity(attributes, origin, facts));
  set_history(attributes, origin, facts);
  if (object_class == CKO_SECRET_KEY) return finish_secret_key(object, origin, facts);
  return {};
}

}  // namespace cardea
