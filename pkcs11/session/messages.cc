#include "session/messages.h"

#include "session/ciphering.h"

namespace cardea {
namespace {

MessageCipher& cipher_of(ActiveOperation& operation) {
  return *std::get_if<MessageCipher>(&operation.work);
}

MessageSigner& signer_of(ActiveOperation& operation) {
  return *std::get_if<MessageSigner>(&operation.work);
}

/// Runs one call of a message operation. A failed message does not end the operation (5.9.2): the next message may
/// follow, but the one begun is over.
template <class Call>
Status run_message(Session& session, OperationKind kind, Call&& call) {
  CARDEA_ASSIGN(Session::Lease operation, session.lease(kind));
  operation.keep();
  Status status = std::forward<Call>(call)(*operation);
  if (!status && status.code() != Code::buffer_too_small) {
    operation->pending.reset();
    if (auto* const cipher = std::get_if<MessageCipher>(&operation->work)) cipher->begun = false;
    if (auto* const signer = std::get_if<MessageSigner>(&operation->work)) {
      signer->sign.reset();
      signer->verify.reset();
    }
  }
  return status;
}

}  // namespace

Result<MessageParameter> message_parameter(void* data, CK_ULONG size) {
  CARDEA_TRY(input_bytes(data, size));
  return MessageParameter{data, size};
}

Status message_cipher_init(Session& session, OperationKind kind, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const bool cancelled, cancelled_by_null(session, kind, mechanism));
  if (cancelled) return {};
  CARDEA_TRY(session.expect_none(kind));
  const bool encrypting = kind == OperationKind::message_encrypt;
  CARDEA_ASSIGN(const ChosenMechanism chosen,
                choose_mechanism(mechanism, encrypting ? CKF_MESSAGE_ENCRYPT : CKF_MESSAGE_DECRYPT));
  CARDEA_ASSIGN(KeyRef reference, session.key_for(key, encrypting ? CKA_ENCRYPT : CKA_DECRYPT, *chosen.mechanism));
  CARDEA_ASSIGN(MessageCipherPtr cipher, encrypting ? chosen.mechanism->message_encrypt(reference, chosen.parameter)
                                                    : chosen.mechanism->message_decrypt(reference, chosen.parameter));
  auto operation = std::make_unique<ActiveOperation>();
  operation->mechanism = chosen.mechanism;
  operation->key = std::move(reference);
  operation->work = MessageCipher{std::move(cipher), false};
  return session.begin(kind, std::move(operation));
}

Status message_cipher_single(Session& session, OperationKind kind, MessageParameter parameter, ByteView associated_data,
                             ByteView input, const OutputBuffer& out) {
  CARDEA_TRY(out.check());
  return run_message(session, kind, [&](ActiveOperation& operation) -> Status {
    MessageCipher& message = cipher_of(operation);
    if (message.begun) return Code::operation_active;
    Status status = deliver(out, operation.pending, message.cipher->next_bound(input.size(), true),
                            [&](MutableBytes buffer) -> Result<std::size_t> {
                              CARDEA_TRY(message.cipher->begin(parameter.data, parameter.size, associated_data));
                              return message.cipher->next(parameter.data, parameter.size, input, buffer, true);
                            });
    if (status && !out.size_query()) operation.pending.reset();
    return status;
  });
}

Status message_cipher_begin(Session& session, OperationKind kind, MessageParameter parameter,
                            ByteView associated_data) {
  return run_message(session, kind, [&](ActiveOperation& operation) -> Status {
    MessageCipher& message = cipher_of(operation);
    if (message.begun) return Code::operation_active;
    CARDEA_TRY(message.cipher->begin(parameter.data, parameter.size, associated_data));
    message.begun = true;
    return {};
  });
}

Status message_cipher_next(Session& session, OperationKind kind, MessageParameter parameter, ByteView input,
                           const OutputBuffer& out, bool last) {
  CARDEA_TRY(out.check());
  return run_message(session, kind, [&](ActiveOperation& operation) -> Status {
    MessageCipher& message = cipher_of(operation);
    if (!message.begun) return Code::operation_not_initialized;
    Status status = deliver(
        out, operation.pending, message.cipher->next_bound(input.size(), last),
        [&](MutableBytes buffer) { return message.cipher->next(parameter.data, parameter.size, input, buffer, last); });
    if (status && !out.size_query()) {
      operation.pending.reset();
      if (last) message.begun = false;
    }
    return status;
  });
}

namespace {

/// The mechanism of a message signer with the parameter kept from its Init call.
Result<SignPtr> new_sign(ActiveOperation& operation) {
  return operation.mechanism->sign(operation.key, signer_of(operation).parameter.parameter());
}

Result<VerifyPtr> new_verify(ActiveOperation& operation) {
  return operation.mechanism->verify(operation.key, signer_of(operation).parameter.parameter());
}

/// No mechanism of ours has a parameter of its own for each message to sign.
Status expect_no_parameter(MessageParameter parameter) {
  if (parameter.size != 0) return Code::mechanism_param_invalid;
  return {};
}

Status message_signer_init(Session& session, OperationKind kind, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const bool cancelled, cancelled_by_null(session, kind, mechanism));
  if (cancelled) return {};
  CARDEA_TRY(session.expect_none(kind));
  const bool signing = kind == OperationKind::message_sign;
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, signing ? CKF_SIGN : CKF_VERIFY));
  CARDEA_ASSIGN(KeyRef reference, session.key_for(key, signing ? CKA_SIGN : CKA_VERIFY, *chosen.mechanism));
  CARDEA_ASSIGN(KeptParameter parameter, chosen.mechanism->keep(chosen.parameter));
  auto operation = std::make_unique<ActiveOperation>();
  operation->mechanism = chosen.mechanism;
  operation->key = std::move(reference);
  operation->work = MessageSigner{std::move(parameter), nullptr, nullptr};
  // Tried once, so that a wrong key or parameter is told now.
  if (signing) {
    CARDEA_TRY(new_sign(*operation));
  } else {
    CARDEA_TRY(new_verify(*operation));
  }
  return session.begin(kind, std::move(operation));
}

}  // namespace

Status message_sign_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return message_signer_init(session, OperationKind::message_sign, mechanism, key);
}

Status sign_message(Session& session, MessageParameter parameter, ByteView data, const OutputBuffer& signature) {
  CARDEA_TRY(signature.check());
  return run_message(session, OperationKind::message_sign, [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(expect_no_parameter(parameter));
    if (signer_of(operation).sign) return Code::operation_active;
    CARDEA_ASSIGN(const SignPtr sign, new_sign(operation));
    return deliver_exactly(signature, sign->size(), [&](MutableBytes buffer) { return sign->single(data, buffer); });
  });
}

Status sign_message_begin(Session& session, MessageParameter parameter) {
  return run_message(session, OperationKind::message_sign, [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(expect_no_parameter(parameter));
    MessageSigner& signer = signer_of(operation);
    if (signer.sign) return Code::operation_active;
    CARDEA_ASSIGN(signer.sign, new_sign(operation));
    operation.gathered = GatheredInput{};
    return {};
  });
}

Status sign_message_next(Session& session, MessageParameter parameter, ByteView data, const OutputBuffer& signature,
                         bool last) {
  if (last) CARDEA_TRY(signature.check());
  return run_message(session, OperationKind::message_sign, [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(expect_no_parameter(parameter));
    MessageSigner& signer = signer_of(operation);
    if (!signer.sign) return Code::operation_not_initialized;
    SignOperation& sign = *signer.sign;
    const auto add = [&] { return sign.multi_part() ? sign.update(data) : operation.gathered.append(data); };
    if (!last) return add();
    CARDEA_TRY(deliver_exactly(signature, sign.size(), [&](MutableBytes buffer) -> Result<std::size_t> {
      CARDEA_TRY(add());
      return sign.multi_part() ? sign.finish(buffer) : sign.single(operation.gathered.view(), buffer);
    }));
    if (!signature.size_query()) signer.sign.reset();
    return {};
  });
}

Status message_verify_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return message_signer_init(session, OperationKind::message_verify, mechanism, key);
}

Status verify_message(Session& session, MessageParameter parameter, ByteView data, ByteView signature) {
  return run_message(session, OperationKind::message_verify, [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(expect_no_parameter(parameter));
    if (signer_of(operation).verify) return Code::operation_active;
    CARDEA_ASSIGN(const VerifyPtr verify, new_verify(operation));
    return verify->single(data, signature);
  });
}

Status verify_message_begin(Session& session, MessageParameter parameter) {
  return run_message(session, OperationKind::message_verify, [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(expect_no_parameter(parameter));
    MessageSigner& signer = signer_of(operation);
    if (signer.verify) return Code::operation_active;
    CARDEA_ASSIGN(signer.verify, new_verify(operation));
    operation.gathered = GatheredInput{};
    return {};
  });
}

Status verify_message_next(Session& session, MessageParameter parameter, ByteView data, ByteView signature, bool last) {
  return run_message(session, OperationKind::message_verify, [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(expect_no_parameter(parameter));
    MessageSigner& signer = signer_of(operation);
    if (!signer.verify) return Code::operation_not_initialized;
    VerifyOperation& verify = *signer.verify;
    CARDEA_TRY(verify.multi_part() ? verify.update(data) : operation.gathered.append(data));
    if (!last) return {};
    Status status =
        verify.multi_part() ? verify.finish(signature) : verify.single(operation.gathered.view(), signature);
    signer.verify.reset();
    return status;
  });
}

Status message_finish(Session& session, OperationKind kind) {
  CARDEA_ASSIGN(Session::Lease operation, session.lease(kind));
  const auto* const cipher = std::get_if<MessageCipher>(&operation->work);
  const auto* const signer = std::get_if<MessageSigner>(&operation->work);
  const bool inside = (cipher != nullptr && cipher->begun) || (signer != nullptr && (signer->sign || signer->verify));
  if (!inside) return {};
  operation.keep();
  return Code::operation_active;
}

}  // namespace cardea
