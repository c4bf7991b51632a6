// Keys in a session: generate, wrap, unwrap, derive, encapsulate, decapsulate (PKCS#11 3.2, 5.18).
#pragma once

#include "session/session.h"

namespace cardea {

Result<CK_OBJECT_HANDLE> generate_key(Session& session, const CK_MECHANISM* mechanism, Template attributes);

struct KeyPairHandles {
  CK_OBJECT_HANDLE public_key;
  CK_OBJECT_HANDLE private_key;
};
Result<KeyPairHandles> generate_key_pair(Session& session, const CK_MECHANISM* mechanism, Template public_attributes,
                                         Template private_attributes);

/// What a key's CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE … fixes of the keys made with it; nothing when it has none.
Result<AttributeSet> template_of(const Object& key, CK_ATTRIBUTE_TYPE type);

/// A failure that concerns the unwrapping or decapsulating key, or what it opens, in the words that the standard has
/// there: CKR_UNWRAPPING_KEY_… and CKR_WRAPPED_KEY_….
Error about_unwrapping_key(Error failure);

/// `associated_data` is present for C_WrapKeyAuthenticated and C_UnwrapKeyAuthenticated only.
Status wrap_key(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key,
                std::optional<ByteView> associated_data, const OutputBuffer& wrapped);
Result<CK_OBJECT_HANDLE> unwrap_key(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key,
                                    ByteView wrapped, Template attributes, std::optional<ByteView> associated_data);

/// CK_INVALID_HANDLE when all derived keys are returned through the mechanism's parameter. `wants_key`: whether the
/// caller has a place for the handle; arguments_bad when there is a key and none.
Result<CK_OBJECT_HANDLE> derive_key(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                                    Template attributes, bool wants_key);

/// Writes the handle unless only the size was asked for or the buffer was too small.
Status encapsulate_key(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE public_key,
                       Template attributes, const OutputBuffer& ciphertext, CK_OBJECT_HANDLE* key);
Result<CK_OBJECT_HANDLE> decapsulate_key(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE private_key,
                                         Template attributes, ByteView ciphertext);

}  // namespace cardea
