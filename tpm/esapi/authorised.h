// Commands that need an authorisation: shown as a password, or proven in a session that also hides what goes in and
// out.
//
// These go through SAPI, which lies below ESAPI and shares its connection, so that the arithmetic of sessions is ours
// (see tpm_remote/derivation.h). How it is done: TPM 2.0 Library, part 1, 17.6 and 19. Internal to this folder.
#pragma once

#include <tss2/tss2_sys.h>

#include <functional>
#include <memory>

#include "crypto/cipher.h"
#include "esapi/esapi_context.h"

namespace cardea::tpm {

/// Writes a command into the SAPI context. Asked once more when the TPM wants the command again: its answer has taken
/// the place of what was written.
using Preparation = std::function<TSS2_RC(TSS2_SYS_CONTEXT*)>;

/// Objects that a command names beside the one that a session authorises, in front of it and behind it. What authorises
/// them is shown; the last needs no authorisation.
struct Beside {
  const Loaded* before = nullptr;
  const Loaded* after = nullptr;
  const Loaded* unauthorised = nullptr;
};

/// A session for one command, salted with the storage key. Flushed if it was not used up.
class ProtectedSession {
 public:
  /// `storage_key` is loaded; type TPM2_SE_HMAC or TPM2_SE_POLICY. `use`: TPMA_SESSION_DECRYPT hides the command's
  /// first parameter, TPMA_SESSION_ENCRYPT the answer's.
  static Result<std::shared_ptr<ProtectedSession>> start(const std::shared_ptr<EsapiContext>& context,
                                                         const Loaded& storage_key, TPM2_SE type, TPMA_SESSION use);
  ProtectedSession(const ProtectedSession&) = delete;
  ProtectedSession& operator=(const ProtectedSession&) = delete;
  ~ProtectedSession();

  TPMI_SH_AUTH_SESSION handle() const noexcept { return handle_; }
  /// The nonce that the TPM gave last.
  ByteView nonce() const noexcept { return view_of_buffer(nonce_tpm_); }

  /// Runs the command that `prepare` writes; `object` is the one that it authorises. For a policy session the object's
  /// authorisation counts for nothing.
  Status execute(const Preparation& prepare, TPM2_CC command, const Loaded& object, const Beside& beside = {});

 private:
  explicit ProtectedSession(std::shared_ptr<EsapiContext> context) : context_(std::move(context)) {}
  Status execute_once(TPM2_CC command, const Loaded& object, const Beside& beside);
  Result<Bytes> command_hash(TPM2_CC command, const Loaded& object, const Beside& beside) const;
  Result<SecretBytes> mac(ByteView hash, ByteView newer, ByteView older, TPMA_SESSION attributes) const;
  Status encrypt_command();
  Status check_answer(TPM2_CC command, const Beside& beside);
  Status decrypt_answer();
  Status crypt(crypto::Direction direction, ByteView newer, ByteView older, MutableBytes data) const;

  std::shared_ptr<EsapiContext> context_;
  TPMI_SH_AUTH_SESSION handle_ = 0;
  bool open_ = false;
  bool policy_ = false;
  TPMA_SESSION attributes_ = 0;
  SecretBytes session_key_;
  SecretBytes value_;  // the session key and the object's authorisation
  TPM2B_NONCE nonce_caller_{};
  TPM2B_NONCE nonce_tpm_{};
};

/// How one command is authorised. Made before the command is prepared, since starting a session is a command, too.
class Authorisation {
 public:
  /// In a fresh session when there is a storage key to salt it with, else shown as a password.
  static Result<Authorisation> make(const std::shared_ptr<EsapiContext>& context, const Loaded* storage_key,
                                    TPMA_SESSION use);
  /// Runs the command with that object's authorisation.
  Status execute(const Preparation& prepare, TPM2_CC command, const Loaded& object, const Beside& beside = {}) const;

 private:
  std::shared_ptr<EsapiContext> context_;
  std::shared_ptr<ProtectedSession> session_;  // null: the password

  Status execute_with_password(const Loaded& object, const Beside& beside) const;
};

}  // namespace cardea::tpm
