#include "token/wrap_policy.h"

#include <array>
#include <utility>

#include "token/object_rules.h"

namespace cardea {
namespace {

/// Set once CKA_TRUSTED was true: the key may have wrapped anything since, even if the trust was taken away again.
constexpr CK_ULONG ever_trusted = 64;

/// Uses that let their caller compute with the key on data of his choice. A key with one of them answers what is inside
/// something it has wrapped: by decrypting it, or by giving the key stream or block values to compute it from.
constexpr CK_ULONG oracles = ever_encrypt | ever_decrypt | ever_sign | ever_derive;

CK_ULONG ever(const Object& key) noexcept {
  return usage_ever(key.attributes, key.attributes.get_ulong(CKA_CARDEA_EVER, 0));
}

/// A secret key whose value nobody knows outside the token, or for which the security officer vouches.
bool value_is_confined(const Object& key) noexcept {
  if (!key.attributes.get_bool(CKA_SENSITIVE)) return false;
  if ((ever(key) & ever_trusted) != 0) return true;
  return key.attributes.get_bool(CKA_LOCAL) && key.attributes.get_bool(CKA_ALWAYS_SENSITIVE);
}

/// Whether sensitive keys may be, or may have been, under this secret key.
bool is_carrier(const Object& key) noexcept {
  return key.object_class() == CKO_SECRET_KEY && value_is_confined(key) && (ever(key) & oracles) == 0;
}

bool is_trusted(const Object& key) noexcept {
  return key.attributes.get_bool(CKA_TRUSTED);
}

/// Whether this key may carry a sensitive key out, the mechanism being safe.
bool carries_sensitive(const Object& wrapping, bool private_half_on_token) noexcept {
  if (wrapping.object_class() == CKO_PUBLIC_KEY) return is_trusted(wrapping) && !private_half_on_token;
  const bool local = wrapping.attributes.get_bool(CKA_LOCAL) && wrapping.attributes.get_bool(CKA_ALWAYS_SENSITIVE);
  return is_carrier(wrapping) && (is_trusted(wrapping) || local);
}

/// Whether the target could come back by unwrapping with more uses than it has, to open what others have put under it.
bool opens_others(const Object& target) noexcept {
  const bool opens = (ever(target) & (ever_wrap | ever_unwrap)) != 0;
  return opens && !target.attributes.get_bool(CKA_DECRYPT);
}

Status may_carry(const Object& target, const Object& wrapping, bool private_half_on_token) {
  if (!carries_sensitive(wrapping, private_half_on_token)) {
    return error(Code::key_not_wrappable,
                 "a sensitive key leaves only under a trusted key, or a key generated here that "
                 "can do nothing but wrap and unwrap");
  }
  const bool comes_back = !is_trusted(wrapping) || (ever(wrapping) & ever_unwrap) != 0;
  if (opens_others(target) && comes_back) {
    return error(Code::key_not_wrappable, "a key that wraps or unwraps could come back as one that decrypts");
  }
  return {};
}

}  // namespace

CK_ULONG usage_ever(const AttributeSet& attributes, CK_ULONG before) noexcept {
  constexpr std::array<std::pair<CK_ATTRIBUTE_TYPE, CK_ULONG>, 8> uses{{{CKA_WRAP, ever_wrap},
                                                                        {CKA_UNWRAP, ever_unwrap},
                                                                        {CKA_ENCRYPT, ever_encrypt},
                                                                        {CKA_DECRYPT, ever_decrypt},
                                                                        {CKA_SIGN, ever_sign},
                                                                        {CKA_SIGN_RECOVER, ever_sign},
                                                                        {CKA_DERIVE, ever_derive},
                                                                        {CKA_TRUSTED, ever_trusted}}};
  const CK_ULONG object_class = attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED);
  if (object_class != CKO_SECRET_KEY && object_class != CKO_PRIVATE_KEY) return 0;
  CK_ULONG mask = before;
  for (const auto& [type, bit] : uses) {
    if (attributes.get_bool(type)) mask |= bit;
  }
  return mask;
}

Status may_wrap(const Object& target, const Object& wrapping, bool mechanism_is_safe, bool private_half_on_token) {
  if (!wrapping.attributes.get_bool(CKA_WRAP)) return Code::key_function_not_permitted;
  if (target.object_class() != CKO_SECRET_KEY && target.object_class() != CKO_PRIVATE_KEY) {
    return Code::key_not_wrappable;
  }
  if (!target.attributes.get_bool(CKA_EXTRACTABLE)) return Code::key_unextractable;
  if (target.attributes.get_bool(CKA_WRAP_WITH_TRUSTED) && !is_trusted(wrapping)) return Code::key_not_wrappable;
  CARDEA_ASSIGN(const AttributeSet demanded,
                AttributeSet::parse(wrapping.attributes.get(CKA_WRAP_TEMPLATE).value_or(ByteView{})));
  if (!satisfies(target.attributes, demanded)) return Code::key_handle_invalid;
  if (is_carrier(wrapping) && !mechanism_is_safe) {
    return error(Code::key_not_wrappable, "this wrapping key is kept for authenticated wrapping");
  }
  if (!target.attributes.get_bool(CKA_SENSITIVE, true)) return {};
  if (!mechanism_is_safe)
    return error(Code::key_not_wrappable, "a sensitive key leaves only by authenticated wrapping");
  return may_carry(target, wrapping, private_half_on_token);
}

Status may_unwrap(const Object& unwrapping, bool mechanism_is_safe) {
  const AttributeSet& attributes = unwrapping.attributes;
  if (!attributes.get_bool(CKA_UNWRAP)) return Code::key_function_not_permitted;
  const bool hides_plaintexts = unwrapping.object_class() == CKO_SECRET_KEY && attributes.get_bool(CKA_SENSITIVE) &&
                                !attributes.get_bool(CKA_DECRYPT);
  if (hides_plaintexts && !mechanism_is_safe) {
    return error(Code::key_function_not_permitted,
                 "a sensitive key that cannot decrypt unwraps only what is authenticated");
  }
  return {};
}

bool unwraps_only_sensitive(const Object& unwrapping) noexcept {
  if (unwrapping.object_class() != CKO_SECRET_KEY) return false;
  return (ever(unwrapping) & ever_trusted) != 0 || (is_carrier(unwrapping) && (ever(unwrapping) & ever_wrap) != 0);
}

}  // namespace cardea
