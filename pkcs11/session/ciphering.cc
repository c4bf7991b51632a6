#include "session/ciphering.h"

#include "session/signing.h"

namespace cardea {

Result<ChosenMechanism> choose_mechanism(const CK_MECHANISM* mechanism, CK_FLAGS flag) {
  if (mechanism == nullptr) return Code::arguments_bad;
  const Mechanism* const found = mechanisms().find(mechanism->mechanism);
  if (found == nullptr || (found->info().flags & flag) == 0) return Code::mechanism_invalid;
  CARDEA_TRY(parameter_bytes(mechanism->pParameter, mechanism->ulParameterLen));
  return ChosenMechanism{found, Parameter(mechanism->pParameter, mechanism->ulParameterLen)};
}

Result<bool> cancelled_by_null(Session& session, OperationKind kind, const CK_MECHANISM* mechanism) {
  if (mechanism != nullptr) return false;
  if (!session.active(kind)) return Code::arguments_bad;
  session.cancel(kind);
  return true;
}

Status cipher_init(Session& session, OperationKind kind, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const bool cancelled, cancelled_by_null(session, kind, mechanism));
  if (cancelled) return {};
  CARDEA_TRY(session.expect_none(kind));
  const bool encrypting = kind == OperationKind::encrypt;
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, encrypting ? CKF_ENCRYPT : CKF_DECRYPT));
  CARDEA_ASSIGN(KeyRef reference, session.key_for(key, encrypting ? CKA_ENCRYPT : CKA_DECRYPT, *chosen.mechanism));
  CARDEA_ASSIGN(CipherPtr cipher, encrypting ? chosen.mechanism->encrypt(reference, chosen.parameter)
                                             : chosen.mechanism->decrypt(reference, chosen.parameter));
  auto operation = std::make_unique<ActiveOperation>();
  operation->mechanism = chosen.mechanism;
  operation->key = std::move(reference);
  operation->work = std::move(cipher);
  return session.begin(kind, std::move(operation));
}

namespace {

CipherOperation& cipher_of(ActiveOperation& operation) {
  return **std::get_if<CipherPtr>(&operation.work);
}

DigestOperation& digest_of(ActiveOperation& operation) {
  return **std::get_if<DigestPtr>(&operation.work);
}

/// Feeds a part and hands out what comes of it; one-part mechanisms gather their input first.
Status feed(ActiveOperation& operation, ByteView input, const OutputBuffer& out) {
  CipherOperation& cipher = cipher_of(operation);
  if (!cipher.multi_part()) {
    if (!out.size_query()) {
      CARDEA_TRY(operation.gathered.append(input));
      operation.phase = OperationPhase::in_parts;
    }
    out.set_length(0);
    return {};
  }
  return deliver(out, operation.pending, cipher.update_bound(input.size()), [&](MutableBytes buffer) {
    operation.phase = OperationPhase::in_parts;
    return cipher.update(input, buffer);
  });
}

/// `feed`, and what waited for a larger buffer is gone once it was handed out.
Status feed_part(ActiveOperation& operation, ByteView input, const OutputBuffer& out) {
  Status status = feed(operation, input, out);
  if (status && !out.size_query()) operation.pending.reset();
  return status;
}

}  // namespace

Status cipher_single(Session& session, OperationKind kind, ByteView input, const OutputBuffer& out) {
  return session.run(kind, false, out.size_query(), [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(out.check());
    if (operation.phase != OperationPhase::started) return Code::operation_active;
    CipherOperation& cipher = cipher_of(operation);
    return deliver(out, operation.pending, cipher.single_bound(input.size()),
                   [&](MutableBytes buffer) { return cipher.single(input, buffer); });
  });
}

Status cipher_update(Session& session, OperationKind kind, ByteView input, const OutputBuffer& out) {
  CARDEA_TRY(out.check());
  return session.run(kind, true, out.size_query(),
                     [&](ActiveOperation& operation) { return feed_part(operation, input, out); });
}

Status cipher_finish(Session& session, OperationKind kind, const OutputBuffer& out) {
  return session.run(kind, false, out.size_query(), [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(out.check());
    CipherOperation& cipher = cipher_of(operation);
    if (!cipher.multi_part()) {
      const ByteView whole = operation.gathered.view();
      return deliver(out, operation.pending, cipher.single_bound(whole.size()),
                     [&](MutableBytes buffer) { return cipher.single(whole, buffer); });
    }
    return deliver(out, operation.pending, cipher.finish_bound(),
                   [&](MutableBytes buffer) { return cipher.finish(buffer); });
  });
}

Status digest_init(Session& session, const CK_MECHANISM* mechanism) {
  CARDEA_ASSIGN(const bool cancelled, cancelled_by_null(session, OperationKind::digest, mechanism));
  if (cancelled) return {};
  CARDEA_TRY(session.expect_none(OperationKind::digest));
  CARDEA_ASSIGN(const ChosenMechanism chosen, choose_mechanism(mechanism, CKF_DIGEST));
  CARDEA_ASSIGN(DigestPtr digest, chosen.mechanism->digest(chosen.parameter));
  auto operation = std::make_unique<ActiveOperation>();
  operation->mechanism = chosen.mechanism;
  operation->work = std::move(digest);
  return session.begin(OperationKind::digest, std::move(operation));
}

Status digest_single(Session& session, ByteView data, const OutputBuffer& out) {
  return session.run(OperationKind::digest, false, out.size_query(), [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(out.check());
    if (operation.phase != OperationPhase::started) return Code::operation_active;
    DigestOperation& digest = digest_of(operation);
    return deliver_exactly(out, digest.size(), [&](MutableBytes buffer) -> Result<std::size_t> {
      CARDEA_TRY(digest.update(data));
      CARDEA_TRY(digest.finish(buffer.first(digest.size())));
      return digest.size();
    });
  });
}

Status digest_update(Session& session, ByteView part) {
  return session.run(OperationKind::digest, true, false, [&](ActiveOperation& operation) {
    operation.phase = OperationPhase::in_parts;
    return digest_of(operation).update(part);
  });
}

Status digest_key(Session& session, CK_OBJECT_HANDLE key) {
  return session.run(OperationKind::digest, true, false, [&](ActiveOperation& operation) -> Status {
    Result<LocatedObject> located = session.object(key);
    if (!located) return Code::key_handle_invalid;
    const Object& object = *located->object;
    if (object.object_class() != CKO_SECRET_KEY) return Code::key_indigestible;
    // The digest of a short sensitive key would let its value be searched for.
    if (visibility(object, CKA_VALUE) != Visibility::secret) return Code::key_indigestible;
    CARDEA_ASSIGN(const KeyPtr usable, session.usable_key(*located));
    const auto* const secret = dynamic_cast<const SecretKey*>(usable.get());
    if (secret == nullptr) return Code::key_indigestible;
    operation.phase = OperationPhase::in_parts;
    return digest_of(operation).update(secret->value());
  });
}

Status digest_finish(Session& session, const OutputBuffer& out) {
  return session.run(OperationKind::digest, false, out.size_query(), [&](ActiveOperation& operation) -> Status {
    CARDEA_TRY(out.check());
    DigestOperation& digest = digest_of(operation);
    return deliver_exactly(out, digest.size(), [&](MutableBytes buffer) -> Result<std::size_t> {
      CARDEA_TRY(digest.finish(buffer.first(digest.size())));
      return digest.size();
    });
  });
}

namespace {

Status hash_part(ActiveOperation& operation, ByteView part) {
  operation.phase = OperationPhase::in_parts;
  if (std::holds_alternative<DigestPtr>(operation.work)) return digest_of(operation).update(part);
  return sign_or_verify_part(operation, part);
}

/// The state of both operations after a dual call: on after success, a size query or a short buffer, ended otherwise.
void settle(const Status& status, Session::Lease& one, Session::Lease& other) {
  if (!status && status.code() != Code::buffer_too_small) return;
  one.keep();
  other.keep();
}

}  // namespace

Status encrypt_and(Session& session, OperationKind hashing, ByteView plaintext, const OutputBuffer& out) {
  CARDEA_TRY(out.check());
  CARDEA_ASSIGN(Session::Lease hash, session.lease(hashing));
  CARDEA_ASSIGN(Session::Lease cipher, session.lease(OperationKind::encrypt));
  // The caller may encrypt in place, so what is hashed is kept aside.
  const SecretBytes original(plaintext);
  Status status = feed_part(*cipher, plaintext, out);
  if (status && !out.size_query()) status = hash_part(*hash, original.view());
  settle(status, hash, cipher);
  return status;
}

Status decrypt_and(Session& session, OperationKind hashing, ByteView ciphertext, const OutputBuffer& out) {
  CARDEA_TRY(out.check());
  CARDEA_ASSIGN(Session::Lease hash, session.lease(hashing));
  CARDEA_ASSIGN(Session::Lease cipher, session.lease(OperationKind::decrypt));
  Status status = feed_part(*cipher, ciphertext, out);
  if (status && !out.size_query()) status = hash_part(*hash, out.written());
  settle(status, hash, cipher);
  return status;
}

}  // namespace cardea
