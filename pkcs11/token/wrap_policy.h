// Which key may wrap which, so that no sequence of calls brings a sensitive key out in clear.
// The reasons, attack by attack, stand in docs/architecture.md, "Why a sensitive key cannot leave".
#pragma once

#include "token/object.h"

namespace cardea {

/// Remembers every usage a key has ever had (wrap, unwrap, encrypt, decrypt, sign, derive), through changes and copies.
/// Kept by every object of class secret or private key; never shown to callers.
inline constexpr CK_ATTRIBUTE_TYPE CKA_CARDEA_EVER = CKA_VENDOR_DEFINED | 0x43440001UL;

/// The CKA_CARDEA_EVER value of a key with these attributes that had `before`.
CK_ULONG usage_ever(const AttributeSet& attributes, CK_ULONG before = 0) noexcept;

/// Whether `wrapping` may wrap `target`. `mechanism_is_safe`: Mechanism::wraps_sensitive_keys.
/// `private_half_on_token`: for a public wrapping key, whether its private half is on the same token.
/// key_function_not_permitted (no CKA_WRAP), key_unextractable, key_not_wrappable, key_handle_invalid (CKA_WRAP_TEMPLATE).
Status may_wrap(const Object& target, const Object& wrapping, bool mechanism_is_safe, bool private_half_on_token);

/// Whether keys unwrapped with `unwrapping` must be sensitive, because it may have wrapped sensitive keys.
bool unwraps_only_sensitive(const Object& unwrapping) noexcept;

}  // namespace cardea
