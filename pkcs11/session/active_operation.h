// What a session is in the middle of, by kind: one operation of each kind at a time (PKCS#11 3.2, 5.1.5).
#pragma once

#include <deque>
#include <optional>
#include <variant>

#include "mechanism/mechanism.h"
#include "session/output_buffer.h"

namespace cardea {

enum class OperationKind : std::uint8_t {
  encrypt,
  decrypt,
  digest,
  sign,
  verify,
  sign_recover,
  verify_recover,
  verify_signature,
  message_encrypt,
  message_decrypt,
  message_sign,
  message_verify,
  find,
  count
};

/// How far the calls of an operation have come; single-part and multi-part calls do not mix.
enum class OperationPhase : std::uint8_t { started, in_parts };

/// Input gathered over several calls for a mechanism that works on the whole (RSA, EdDSA, key wrap).
class GatheredInput {
 public:
  /// data_length past 64 MiB: whoever signs more hashes first.
  Status append(ByteView part);
  ByteView view() const noexcept { return buffer_.view().first(used_); }

 private:
  SecretBytes buffer_;
  std::size_t used_ = 0;
};

/// What a C_SignMessage-style operation remembers between messages.
struct MessageSigner {
  KeptParameter parameter;  ///< the mechanism's parameter given at init
  SignPtr sign;             ///< the message begun with C_SignMessageBegin, or null
  VerifyPtr verify;
};

/// A message AEAD operation and whether a message is begun.
struct MessageCipher {
  MessageCipherPtr cipher;
  bool begun = false;
};

/// The rest of what C_FindObjectsInit found.
using Found = std::deque<CK_OBJECT_HANDLE>;

struct ActiveOperation {
  const Mechanism* mechanism = nullptr;
  KeyRef key;
  std::variant<std::monostate, CipherPtr, DigestPtr, SignPtr, VerifyPtr, RecoverPtr, MessageSigner, MessageCipher,
               Found>
      work;
  OperationPhase phase = OperationPhase::started;
  bool uses_private_object = false;  ///< ends with the login it was started under
  bool needs_context_login = false;  ///< CKA_ALWAYS_AUTHENTICATE and no C_Login(CKU_CONTEXT_SPECIFIC) yet
  std::uint64_t login_epoch = 0;
  std::optional<SecretBytes> pending;  ///< a result that did not fit the caller's buffer
  GatheredInput gathered;              ///< for mechanisms whose operations take one part
  Bytes signature;                     ///< given to C_VerifySignatureInit
};
using ActiveOperationPtr = std::unique_ptr<ActiveOperation>;

/// Hands the result of `produce(MutableBytes) -> Result<std::size_t>` to the caller, at most `bound` bytes long.
/// Nothing is produced for a size query. When the buffer is smaller than `bound`, the result is produced into memory of
/// ours; if it does not fit either, it waits in `pending` for the next call and buffer_too_small is answered: private
/// keys work once, and a caller that allots exactly what is needed is served.
template <class Produce>
Status deliver(const OutputBuffer& out, std::optional<SecretBytes>& pending, std::size_t bound, Produce&& produce) {
  if (pending) return out.write(pending->view());
  if (out.size_query()) {
    out.set_length(bound);
    return {};
  }
  if (out.capacity() >= bound) {
    CARDEA_ASSIGN(const std::size_t written, produce(out.bytes()));
    out.set_length(written);
    return {};
  }
  SecretBytes result(bound);
  CARDEA_ASSIGN(const std::size_t written, produce(result.mutable_view()));
  result.truncate(written);
  Status delivered = out.write(result.view());
  if (!delivered) pending = std::move(result);
  return delivered;
}

/// The same where `size` is known exactly: a buffer that is too small costs nothing.
template <class Produce>
Status deliver_exactly(const OutputBuffer& out, std::size_t size, Produce&& produce) {
  const std::size_t room = out.capacity();
  if (out.size_query() || room < size) {
    out.set_length(size);
    if (out.size_query()) return {};
    return Code::buffer_too_small;
  }
  CARDEA_ASSIGN(const std::size_t written, produce(out.bytes()));
  out.set_length(written);
  return {};
}

}  // namespace cardea
