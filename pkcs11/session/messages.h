// Message-based operations: many messages under one initialisation (PKCS#11 3.2, 5.9, 5.11, 5.14 and 5.16).
#pragma once

#include "session/session.h"

namespace cardea {

/// A message's own parameter, as the caller passed it.
struct MessageParameter {
  void* data;
  std::size_t size;
};
/// arguments_bad for null with a length.
Result<MessageParameter> message_parameter(void* data, CK_ULONG size);

/// `kind` is message_encrypt or message_decrypt in these.
Status message_cipher_init(Session& session, OperationKind kind, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
Status message_cipher_single(Session& session, OperationKind kind, MessageParameter parameter, ByteView associated_data,
                             ByteView input, const OutputBuffer& out);
Status message_cipher_begin(Session& session, OperationKind kind, MessageParameter parameter, ByteView associated_data);
Status message_cipher_next(Session& session, OperationKind kind, MessageParameter parameter, ByteView input,
                           const OutputBuffer& out, bool last);

Status message_sign_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
Status sign_message(Session& session, MessageParameter parameter, ByteView data, const OutputBuffer& signature);
Status sign_message_begin(Session& session, MessageParameter parameter);
/// `last`: the caller passed a place for the signature.
Status sign_message_next(Session& session, MessageParameter parameter, ByteView data, const OutputBuffer& signature,
                         bool last);

Status message_verify_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
Status verify_message(Session& session, MessageParameter parameter, ByteView data, ByteView signature);
Status verify_message_begin(Session& session, MessageParameter parameter);
Status verify_message_next(Session& session, MessageParameter parameter, ByteView data, ByteView signature, bool last);

/// Ends any of the four kinds; operation_not_initialized when it is not on, operation_active inside a message.
Status message_finish(Session& session, OperationKind kind);

}  // namespace cardea
