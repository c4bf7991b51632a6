// Signing, MACing and verifying in a session: in one part, in parts, with recovery, message by message, and with the
// signature given first (PKCS#11 3.2, 5.13 to 5.15 and C_VerifySignature*).
#pragma once

#include "session/session.h"

namespace cardea {

Status sign_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
Status sign_single(Session& session, ByteView data, const OutputBuffer& signature);
Status sign_update(Session& session, ByteView part);
Status sign_finish(Session& session, const OutputBuffer& signature);

Status verify_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
Status verify_single(Session& session, ByteView data, ByteView signature);
Status verify_update(Session& session, ByteView part);
Status verify_finish(Session& session, ByteView signature);

Status sign_recover_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
Status sign_recover(Session& session, ByteView data, const OutputBuffer& signature);
Status verify_recover_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
Status verify_recover(Session& session, ByteView signature, const OutputBuffer& data);

Status verify_signature_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key, ByteView signature);
Status verify_signature(Session& session, ByteView data);
Status verify_signature_update(Session& session, ByteView part);
Status verify_signature_finish(Session& session);

/// For the dual functions: a part of a sign or verify operation.
Status sign_or_verify_part(ActiveOperation& operation, ByteView part);

}  // namespace cardea
