#include <algorithm>

#include "session/ciphering.h"
#include "session/provider.h"

namespace cardea {

Status save_operation_state(Session& session, const OutputBuffer& out) {
  CARDEA_TRY(out.check());
  for (const OperationKind kind :
       {OperationKind::encrypt, OperationKind::decrypt, OperationKind::sign, OperationKind::verify}) {
    if (session.active(kind)) return Code::state_unsaveable;
  }
  CARDEA_ASSIGN(Session::Lease operation, session.lease(OperationKind::digest));
  operation.keep();
  // A state is the name of a copy that the provider keeps: the crypto library's own state cannot be written out.
  return deliver_exactly(out, saved_state_size, [&](MutableBytes buffer) -> Result<std::size_t> {
    DigestPtr copy = (*std::get_if<DigestPtr>(&operation->work))->clone();
    if (!copy) return Code::state_unsaveable;
    CARDEA_ASSIGN(const Bytes name, provider().save_digest(operation->mechanism->type(), std::move(copy)));
    std::copy(name.begin(), name.end(), buffer.begin());
    return name.size();
  });
}

Status restore_operation_state(Session& session, ByteView state, CK_OBJECT_HANDLE encryption_key,
                               CK_OBJECT_HANDLE authentication_key) {
  if (encryption_key != CK_INVALID_HANDLE || authentication_key != CK_INVALID_HANDLE) return Code::key_not_needed;
  CARDEA_ASSIGN(ActiveOperationPtr operation, provider().restore_digest(state));
  // The saved state takes the place of whatever the session was doing (PKCS#11 3.2, 5.6.5).
  session.cancel(OperationKind::digest);
  return session.begin(OperationKind::digest, std::move(operation));
}

}  // namespace cardea
