// Which key may wrap which, so that no sequence of calls brings a sensitive key out in clear.
// The reasons, attack by attack, stand in docs/objects.md, "Why a sensitive key cannot leave".
#pragma once

#include "token/object.h"

namespace cardea {

/// Remembers every usage a key has ever had (wrap, unwrap, encrypt, decrypt, sign, derive), through changes and copies.
/// Kept by every object of class secret or private key; never shown to callers.
inline constexpr CK_ATTRIBUTE_TYPE CKA_CARDEA_EVER = CKA_VENDOR_DEFINED | 0x43440001UL;

/// Bits of CKA_CARDEA_EVER.
inline constexpr CK_ULONG ever_wrap = 1;
inline constexpr CK_ULONG ever_unwrap = 2;
inline constexpr CK_ULONG ever_encrypt = 4;
inline constexpr CK_ULONG ever_decrypt = 8;
inline constexpr CK_ULONG ever_sign = 16;
inline constexpr CK_ULONG ever_derive = 32;

/// The CKA_CARDEA_EVER value of a key with these attributes that had `before`.
CK_ULONG usage_ever(const AttributeSet& attributes, CK_ULONG before = 0) noexcept;

/// Whether `wrapping` may wrap `target`. `mechanism_is_safe`: Mechanism::wraps_sensitive_keys.
/// `private_half_on_token`: for a public wrapping key, whether its private half is on the same token.
/// key_function_not_permitted (no CKA_WRAP), key_unextractable, key_not_wrappable, key_handle_invalid
/// (CKA_WRAP_TEMPLATE).
Status may_wrap(const Object& target, const Object& wrapping, bool mechanism_is_safe, bool private_half_on_token);

/// Whether `unwrapping` may unwrap by such a mechanism: key_function_not_permitted without CKA_UNWRAP, and for a
/// sensitive secret key that cannot decrypt anyway when the mechanism authenticates nothing, because C_UnwrapKey would
/// then answer questions about its plaintexts. `mechanism_is_safe`: Mechanism::unwraps_authenticated.
Status may_unwrap(const Object& unwrapping, bool mechanism_is_safe);

/// Whether keys unwrapped with `unwrapping` must be sensitive, because it may have wrapped sensitive keys.
bool unwraps_only_sensitive(const Object& unwrapping) noexcept;

}  // namespace cardea
