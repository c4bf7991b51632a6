#include "session/signing.h"

#include "session/ciphering.h"

namespace cardea {
namespace {

SignOperation& sign_of(ActiveOperation& operation) {
  return **std::get_if<SignPtr>(&operation.work);
}

VerifyOperation& verify_of(ActiveOperation& operation) {
  return **std::get_if<VerifyPtr>(&operation.work);
}

/// What an Init call of a kind needs to know: the mechanism's flag, the key's usage, and the planning function.
struct InitPlan {
  OperationKind kind;
  CK_FLAGS flag;
  CK_ATTRIBUTE_TYPE usage;
};

template <class Plan>
Status init(Session& session, const InitPlan& what, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key, Plan plan,
            ByteView signature = {}) {
  CARDEA_ASSIGN(const bool cancelled, cancelled_by_null(session, what.kind, mechanism));
  if (cancelled) return {};
  CARDEA_TRY(session.expect_none(what.kind));
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, what.flag));
  CARDEA_ASSIGN(KeyRef reference, session.key_for(key, what.usage, *chosen.mechanism));
  auto planned = (chosen.mechanism->*plan)(reference, chosen.parameter);
  if (!planned) return std::move(planned).error();
  auto operation = std::make_unique<ActiveOperation>();
  operation->mechanism = chosen.mechanism;
  operation->key = std::move(reference);
  operation->work = *std::move(planned);
  operation->signature = to_bytes(signature);
  return session.begin(what.kind, std::move(operation));
}

Status finish_verify(ActiveOperation& operation, ByteView signature) {
  VerifyOperation& verify = verify_of(operation);
  if (!verify.multi_part()) return verify.single(operation.gathered.view(), signature);
  return verify.finish(signature);
}

Status single_verify(ActiveOperation& operation, ByteView data, ByteView signature) {
  if (operation.phase != OperationPhase::started) return Code::operation_active;
  return verify_of(operation).single(data, signature);
}

}  // namespace

Status sign_or_verify_part(ActiveOperation& operation, ByteView part) {
  operation.phase = OperationPhase::in_parts;
  if (const auto* const sign = std::get_if<SignPtr>(&operation.work)) {
    return (*sign)->multi_part() ? (*sign)->update(part) : operation.gathered.append(part);
  }
  VerifyOperation& verify = verify_of(operation);
  return verify.multi_part() ? verify.update(part) : operation.gathered.append(part);
}

Status sign_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return init(session, {OperationKind::sign, CKF_SIGN, CKA_SIGN}, mechanism, key, &Mechanism::sign);
}

Status sign_single(Session& session, ByteView data, const OutputBuffer& signature) {
  return session.run(OperationKind::sign, false, signature.size_query(), [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(signature.check());
    if (operation.phase != OperationPhase::started) return Code::operation_active;
    SignOperation& sign = sign_of(operation);
    return deliver_exactly(signature, sign.size(), [&](MutableBytes buffer) { return sign.single(data, buffer); });
  });
}

Status sign_update(Session& session, ByteView part) {
  return session.run(OperationKind::sign, true, false,
                     [&](ActiveOperation& operation) { return sign_or_verify_part(operation, part); });
}

Status sign_finish(Session& session, const OutputBuffer& signature) {
  return session.run(OperationKind::sign, false, signature.size_query(), [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(signature.check());
    SignOperation& sign = sign_of(operation);
    return deliver_exactly(signature, sign.size(), [&](MutableBytes buffer) {
      return sign.multi_part() ? sign.finish(buffer) : sign.single(operation.gathered.view(), buffer);
    });
  });
}

Status verify_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return init(session, {OperationKind::verify, CKF_VERIFY, CKA_VERIFY}, mechanism, key, &Mechanism::verify);
}

Status verify_single(Session& session, ByteView data, ByteView signature) {
  return session.run(OperationKind::verify, false, false,
                     [&](ActiveOperation& operation) { return single_verify(operation, data, signature); });
}

Status verify_update(Session& session, ByteView part) {
  return session.run(OperationKind::verify, true, false,
                     [&](ActiveOperation& operation) { return sign_or_verify_part(operation, part); });
}

Status verify_finish(Session& session, ByteView signature) {
  return session.run(OperationKind::verify, false, false,
                     [&](ActiveOperation& operation) { return finish_verify(operation, signature); });
}

Status sign_recover_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return init(session, {OperationKind::sign_recover, CKF_SIGN_RECOVER, CKA_SIGN_RECOVER}, mechanism, key,
              &Mechanism::sign_recover);
}

Status sign_recover(Session& session, ByteView data, const OutputBuffer& signature) {
  return session.run(
      OperationKind::sign_recover, false, signature.size_query(), [&](ActiveOperation& operation) -> Status {
        CARDEA_TRY(signature.check());
        SignOperation& sign = sign_of(operation);
        return deliver_exactly(signature, sign.size(), [&](MutableBytes buffer) { return sign.single(data, buffer); });
      });
}

Status verify_recover_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return init(session, {OperationKind::verify_recover, CKF_VERIFY_RECOVER, CKA_VERIFY_RECOVER}, mechanism, key,
              &Mechanism::verify_recover);
}

Status verify_recover(Session& session, ByteView signature, const OutputBuffer& data) {
  return session.run(OperationKind::verify_recover, false, data.size_query(),
                     [&](ActiveOperation& operation) -> Status {
                       CARDEA_TRY(data.check());
                       RecoverOperation& recover = **std::get_if<RecoverPtr>(&operation.work);
                       return deliver(data, operation.pending, recover.bound(),
                                      [&](MutableBytes buffer) { return recover.recover(signature, buffer); });
                     });
}

Status verify_signature_init(Session& session, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key,
                             ByteView signature) {
  return init(session, {OperationKind::verify_signature, CKF_VERIFY, CKA_VERIFY}, mechanism, key, &Mechanism::verify,
              signature);
}

Status verify_signature(Session& session, ByteView data) {
  return session.run(OperationKind::verify_signature, false, false,
                     [&](ActiveOperation& operation) { return single_verify(operation, data, operation.signature); });
}

Status verify_signature_update(Session& session, ByteView part) {
  return session.run(OperationKind::verify_signature, true, false,
                     [&](ActiveOperation& operation) { return sign_or_verify_part(operation, part); });
}

Status verify_signature_finish(Session& session) {
  return session.run(OperationKind::verify_signature, false, false,
                     [&](ActiveOperation& operation) { return finish_verify(operation, operation.signature); });
}

}  // namespace cardea
