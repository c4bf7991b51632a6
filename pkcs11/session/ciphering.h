// Encryption, decryption and digests in a session, single-part, multi-part and two at once.
#pragma once

#include "session/session.h"

namespace cardea {

/// A caller's mechanism argument, looked up. arguments_bad for null, mechanism_invalid for one that lacks the verb
/// (`flag`: CKF_SIGN …), mechanism_param_invalid for a parameter of null with a length.
struct ChosenMechanism {
  const Mechanism* mechanism;
  Parameter parameter;
};
Result<ChosenMechanism> choose_mechanism(const CK_MECHANISM* mechanism, CK_FLAGS flag);

/// Every Init call may have a null mechanism, which ends the operation of that kind (PKCS#11 3.0 and later). Answers
/// whether that was asked and done; arguments_bad when nothing was there to end.
Result<bool> cancelled_by_null(Session& session, OperationKind kind, const CK_MECHANISM* mechanism);

/// `kind` is encrypt or decrypt in all of these.
Status cipher_init(Session& session, OperationKind kind, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
Status cipher_single(Session& session, OperationKind kind, ByteView input, const OutputBuffer& out);
Status cipher_update(Session& session, OperationKind kind, ByteView input, const OutputBuffer& out);
Status cipher_finish(Session& session, OperationKind kind, const OutputBuffer& out);

Status digest_init(Session& session, const CK_MECHANISM* mechanism);
Status digest_single(Session& session, ByteView data, const OutputBuffer& out);
Status digest_update(Session& session, ByteView part);
Status digest_key(Session& session, CK_OBJECT_HANDLE key);
Status digest_finish(Session& session, const OutputBuffer& out);

/// The dual functions (PKCS#11 3.2, 5.16): `hashing` is digest or sign when encrypting, digest or verify when
/// decrypting.
Status encrypt_and(Session& session, OperationKind hashing, ByteView plaintext, const OutputBuffer& out);
Status decrypt_and(Session& session, OperationKind hashing, ByteView ciphertext, const OutputBuffer& out);

/// Operation state: digests can be saved; keys' operations cannot (state_unsaveable).
Status save_operation_state(Session& session, const OutputBuffer& out);
Status restore_operation_state(Session& session, ByteView state, CK_OBJECT_HANDLE encryption_key,
                               CK_OBJECT_HANDLE authentication_key);

}  // namespace cardea
