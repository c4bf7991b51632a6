#include "esapi/tpm_connection.h"

#include <algorithm>
#include <array>

#include "crypto/digest.h"
#include "crypto/mac.h"
#include "esapi/esapi_context.h"

namespace cardea::tpm {
namespace {

using CapabilityPtr = EsysPtr<TPMS_CAPABILITY_DATA>;

Result<CapabilityPtr> ask(EsapiContext& context, TPM2_CAP capability, UINT32 first, UINT32 count) {
  TPMS_CAPABILITY_DATA* data = nullptr;
  TPMI_YES_NO more = TPM2_NO;
  CARDEA_TRY(context.checked(context.tss().Esys_GetCapability(context.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                                              capability, first, count, &more, &data)));
  return CapabilityPtr(data, EsysFree(context.tss()));
}

/// TPM2_TestParms: whether a storage child may have these RSA parameters.
Result<bool> has_rsa(EsapiContext& context, std::size_t bits) {
  TPMT_PUBLIC_PARMS parameters{};
  parameters.type = TPM2_ALG_RSA;
  parameters.parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
  parameters.parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
  parameters.parameters.rsaDetail.keyBits = static_cast<TPMI_RSA_KEY_BITS>(bits);
  const Status tested = context.checked(
      context.tss().Esys_TestParms(context.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &parameters));
  if (!tested && tested.code() == Code::device_removed) return tested.error();
  return tested.ok();
}

}  // namespace

Result<TpmConnection> TpmConnection::open(const std::string& tcti, const Patience& patience) {
  CARDEA_ASSIGN(std::shared_ptr<EsapiContext> context, EsapiContext::open(tcti, patience));
  return TpmConnection(std::move(context));
}

bool TpmConnection::alive() const noexcept {
  return !context_->lost();
}

bool TpmConnection::mute() const noexcept {
  return context_->mute();
}

Result<LockOut> TpmConnection::lock_out() {
  constexpr UINT32 count = TPM2_PT_LOCKOUT_RECOVERY - TPM2_PT_PERMANENT + 1;
  CARDEA_ASSIGN(const CapabilityPtr data, ask(*context_, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_PERMANENT, count));
  LockOut state;
  const TPML_TAGGED_TPM_PROPERTY& properties = data->data.tpmProperties;
  for (UINT32 i = 0; i < properties.count; ++i) {
    const UINT32 value = properties.tpmProperty[i].value;
    switch (properties.tpmProperty[i].property) {
      case TPM2_PT_PERMANENT:
        state.active = (value & TPMA_PERMANENT_INLOCKOUT) != 0;
        state.resettable = (value & TPMA_PERMANENT_LOCKOUTAUTHSET) == 0;
        break;
      case TPM2_PT_LOCKOUT_COUNTER:
        state.failures = value;
        break;
      case TPM2_PT_MAX_AUTH_FAIL:
        state.limit = value;
        break;
      case TPM2_PT_LOCKOUT_INTERVAL:
        state.seconds_per_try = value;
        break;
      default:
        break;
    }
  }
  return state;
}

Status TpmConnection::reset_lock_out() {
  return context_->checked(context_->tss().Esys_DictionaryAttackLockReset(
      context_->get(), ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE));
}

Result<Capabilities> TpmConnection::capabilities() {
  Capabilities found;
  for (const std::size_t bits : {2048, 3072, 4096}) {
    CARDEA_ASSIGN(const bool there, has_rsa(*context_, bits));
    if (there) found.rsa_bits.push_back(bits);
  }
  CARDEA_ASSIGN(const CapabilityPtr data, ask(*context_, TPM2_CAP_ECC_CURVES, TPM2_ECC_NIST_P192, TPM2_MAX_ECC_CURVES));
  const TPML_ECC_CURVE& curves = data->data.eccCurves;
  for (const auto algorithm : {crypto::KeyAlgorithm::p256, crypto::KeyAlgorithm::p384, crypto::KeyAlgorithm::p521}) {
    const TPM2_ECC_CURVE* const end = curves.eccCurves + curves.count;
    if (std::find(curves.eccCurves, end, curve_number(algorithm)) != end) found.curves.push_back(algorithm);
  }
  return found;
}

Status TpmConnection::random(MutableBytes out) {
  while (!out.empty()) {
    TPM2B_DIGEST* bytes = nullptr;
    const UINT16 wanted = static_cast<UINT16>(std::min(out.size(), sizeof(bytes->buffer)));
    CARDEA_TRY(context_->checked(
        context_->tss().Esys_GetRandom(context_->get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, wanted, &bytes)));
    const EsysPtr<TPM2B_DIGEST> owner(bytes, EsysFree(context_->tss()));
    // A TPM gives at most as much as its largest digest is long (part 3, 16.1).
    if (bytes->size == 0 || bytes->size > out.size()) return error(Code::device_error, "the TPM gives no randomness");
    std::copy_n(bytes->buffer, bytes->size, out.begin());
    wipe({bytes->buffer, bytes->size});
    out = out.subspan(bytes->size);
  }
  return {};
}

void TpmConnection::flush_leftovers() {
  for (const TPM2_HANDLE first : {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST}) {
    const auto data = ask(*context_, TPM2_CAP_HANDLES, first, TPM2_MAX_CAP_HANDLES);
    if (!data) return;
    const TPML_HANDLE& handles = (*data)->data.handles;
    for (UINT32 i = 0; i < handles.count; ++i) {
      // One that somebody else has flushed meanwhile is no loss.
      static_cast<void>(context_->tss().Tss2_Sys_FlushContext(context_->sys(), handles.handle[i]));
    }
  }
}

Result<SecretBytes> challenge_response(const SecretBytes& key, ByteView nonce) {
  constexpr std::array<Byte, 4> no_expiration{};
  CARDEA_ASSIGN(crypto::Digest hash, crypto::Digest::make(Hash::sha256));
  CARDEA_TRY(hash.update(nonce));
  CARDEA_TRY(hash.update(no_expiration));
  Bytes digest(hash.size());
  CARDEA_TRY(hash.finish(digest));
  return crypto::hmac(Hash::sha256, key.view(), digest);
}

}  // namespace cardea::tpm
