// Keys that were made elsewhere, wrapped for this TPM alone (TPM 2.0 Library, part 1, 23.3, and part 3, 13.3).
#include <algorithm>

#include "esapi/authorised.h"
#include "esapi/esapi_context.h"

namespace cardea::tpm {
namespace {

/// TPM2_Import in a session that hides the key of the inner wrapper; the encrypted private area.
Result<Bytes> import(const std::shared_ptr<EsapiContext>& context, const Loaded& parent, const TPM2B_PUBLIC& area,
                     const WrappedKey& wrapped) {
  TPM2B_ENCRYPTED_SECRET seed{};
  if (wrapped.encrypted_seed.size() > sizeof(seed.secret)) return Code::wrapped_key_invalid;
  seed.size = static_cast<UINT16>(wrapped.encrypted_seed.size());
  std::copy(wrapped.encrypted_seed.begin(), wrapped.encrypted_seed.end(), seed.secret);
  TPM2B_PRIVATE duplicate{};
  CARDEA_TRY(fill_buffer(duplicate, wrapped.duplicate));
  TPMT_SYM_DEF_OBJECT symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = static_cast<TPMI_AES_KEY_BITS>(wrapped.inner_key.size() * 8);
  symmetric.mode.aes = TPM2_ALG_CFB;
  CARDEA_ASSIGN(const Authorisation authorisation, Authorisation::make(context, &parent, TPMA_SESSION_DECRYPT));
  CARDEA_ASSIGN(const TPM2_HANDLE handle, context->tpm_handle(parent));
  const Tss2Api& tss = context->tss();
  TPM2B_DATA key{};
  CARDEA_TRY(fill_buffer(key, wrapped.inner_key.view()));
  const auto prepare = [&](TSS2_SYS_CONTEXT* sys) {
    return tss.Tss2_Sys_Import_Prepare(sys, handle, &key, &area, &duplicate, &seed, &symmetric);
  };
  Status done = authorisation.execute(prepare, TPM2_CC_Import, parent);
  wipe({key.buffer, sizeof(key.buffer)});
  CARDEA_TRY(std::move(done));
  TPM2B_PRIVATE imported{};
  imported.size = sizeof(imported.buffer);
  CARDEA_TRY(context->checked(tss.Tss2_Sys_Import_Complete(context->sys(), &imported)));
  return to_bytes(view_of_buffer(imported));
}

}  // namespace

Result<Blob> TpmConnection::import_key(const Loaded& parent, const crypto::AsymmetricKey& key,
                                       const SecretBytes& auth) {
  CARDEA_ASSIGN(const WrappedKey wrapped, wrap_key(parent.point(), key, auth.view()));
  return import_wrapped(parent, wrapped);
}

Result<Blob> TpmConnection::import_wrapped(const Loaded& parent, const WrappedKey& wrapped) {
  const auto area = unmarshal(context_->tss(), wrapped.public_area);
  if (!area) return error(Code::wrapped_key_invalid, "the wrapped key's public area is damaged");
  CARDEA_ASSIGN(Bytes private_area, import(context_, parent, *area, wrapped));
  return Blob{wrapped.public_area, std::move(private_area)};
}

Result<Blob> TpmConnection::change_auth(const Loaded& parent, const Blob& blob, const SecretBytes& auth) {
  CARDEA_ASSIGN(const Loaded key, load(parent, blob));
  CARDEA_ASSIGN(const Authorisation authorisation, Authorisation::make(context_, &parent, TPMA_SESSION_DECRYPT));
  CARDEA_ASSIGN(const TPM2_HANDLE key_handle, context_->tpm_handle(key));
  CARDEA_ASSIGN(const TPM2_HANDLE parent_handle, context_->tpm_handle(parent));
  const Tss2Api& tss = context_->tss();
  TPM2B_AUTH value{};
  CARDEA_TRY(fill_buffer(value, auth.view()));
  const auto prepare = [&](TSS2_SYS_CONTEXT* sys) {
    return tss.Tss2_Sys_ObjectChangeAuth_Prepare(sys, key_handle, parent_handle, &value);
  };
  Status done = authorisation.execute(prepare, TPM2_CC_ObjectChangeAuth, key, {.unauthorised = &parent});
  wipe({value.buffer, sizeof(value.buffer)});
  CARDEA_TRY(std::move(done));
  TPM2B_PRIVATE changed{};
  changed.size = sizeof(changed.buffer);
  CARDEA_TRY(context_->checked(tss.Tss2_Sys_ObjectChangeAuth_Complete(context_->sys(), &changed)));
  return Blob{blob.public_area, to_bytes(view_of_buffer(changed))};
}

}  // namespace cardea::tpm
