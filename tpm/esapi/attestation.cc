// The TPM's word about its keys, and the proof that it is that TPM's (TPM 2.0 Library, part 1, 24 and 25; TCG EK
// Credential Profile for TPM Family 2.0).
#include <algorithm>
#include <array>

#include "esapi/authorised.h"
#include "esapi/esapi_context.h"
#include "esapi/key_area.h"

namespace cardea::tpm {
namespace {

constexpr TPMA_OBJECT born_here =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED;

/// An endorsement key by the TCG's templates, and where its certificate is (TCG EK Credential
/// Profile, 2.2.1.4, 2.2.1.5).
struct EndorsementTemplate {
  TPM2_HANDLE certificate;
  bool rsa;
  bool high;  ///< of the high range: usable with its own, empty authorisation, too, and without `unique`
};
// L-2, H-2, L-1, H-1: elliptic curves first, as RSA keys take a TPM seconds.
constexpr std::array<EndorsementTemplate, 4> endorsement_templates{
    {{0x01c0000a, false, false}, {0x01c00014, false, true}, {0x01c00002, true, false}, {0x01c00012, true, true}}};

/// PolicyA of the profile: TPM2_PolicySecret of the endorsement hierarchy (B.6.2).
constexpr std::array<Byte, 32> endorsement_policy{0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
                                                  0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
                                                  0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};

/// PolicyB: PolicyA, or what the owner of NV index 0x01c07f01 allows (B.6.3).
constexpr std::array<Byte, 32> high_policy{0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7, 0xa3, 0x34,
                                           0x24, 0x14, 0xef, 0xcf, 0xb3, 0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd,
                                           0x45, 0x90, 0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0};

/// The templates' public areas (B.3, B.4).
TPM2B_PUBLIC endorsement_area(const EndorsementTemplate& wanted) {
  const TPMA_OBJECT use =
      TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_DECRYPT | (wanted.high ? TPMA_OBJECT_USERWITHAUTH : TPMA_OBJECT{});
  TPM2B_PUBLIC area = new_area(wanted.rsa ? TPM2_ALG_RSA : TPM2_ALG_ECC, born_here | use);
  const std::array<Byte, 32>& policy = wanted.high ? high_policy : endorsement_policy;
  area.publicArea.authPolicy.size = policy.size();
  std::copy(policy.begin(), policy.end(), area.publicArea.authPolicy.buffer);
  if (!wanted.rsa) {
    set_curve(area, TPM2_ECC_NIST_P256, /*storage=*/true);
    area.publicArea.unique.ecc.x.size = wanted.high ? 0 : 32;
    area.publicArea.unique.ecc.y.size = wanted.high ? 0 : 32;
    return area;
  }
  TPMS_RSA_PARMS& parameters = area.publicArea.parameters.rsaDetail;
  parameters.symmetric.algorithm = TPM2_ALG_AES;
  parameters.symmetric.keyBits.aes = 128;
  parameters.symmetric.mode.aes = TPM2_ALG_CFB;
  parameters.scheme.scheme = TPM2_ALG_NULL;
  parameters.keyBits = 2048;
  area.publicArea.unique.rsa.size = wanted.high ? 0 : 256;
  return area;
}

Result<bool> has_index(EsapiContext& context, TPM2_HANDLE index) {
  TPMS_CAPABILITY_DATA* data = nullptr;
  TPMI_YES_NO more = TPM2_NO;
  CARDEA_TRY(context.checked(context.tss().Esys_GetCapability(context.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                                              TPM2_CAP_HANDLES, index, 1, &more, &data)));
  const EsysPtr<TPMS_CAPABILITY_DATA> owner(data, EsysFree(context.tss()));
  return data->data.handles.count == 1 && data->data.handles.handle[0] == index;
}

/// A certificate with nothing behind it: an index may be larger than what it holds.
Bytes without_padding(Bytes bytes) {
  if (bytes.size() < 4 || bytes[0] != 0x30 || bytes[1] != 0x82) return {};
  const std::size_t size = 4 + (std::size_t{bytes[2]} << 8 | bytes[3]);
  if (size > bytes.size()) return {};
  bytes.resize(size);
  return bytes;
}

/// ESAPI's notion of an NV index, given back at the end.
class Index {
 public:
  Index(EsapiContext& context, ESYS_TR handle) : context_(context), handle_(handle) {}
  ~Index() { context_.tss().Esys_TR_Close(context_.get(), &handle_); }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;
  ESYS_TR handle() const noexcept { return handle_; }

 private:
  EsapiContext& context_;
  ESYS_TR handle_;
};

/// What an NV index holds that is readable with its own, empty authorisation; nothing when there is none.
Result<Bytes> read_index(EsapiContext& context, TPM2_HANDLE number) {
  CARDEA_ASSIGN(const bool there, has_index(context, number));
  if (!there) return Bytes();
  const Tss2Api& tss = context.tss();
  ESYS_TR found = ESYS_TR_NONE;
  CARDEA_TRY(context.checked(
      tss.Esys_TR_FromTPMPublic(context.get(), number, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &found)));
  const Index index(context, found);
  TPM2B_NV_PUBLIC* area = nullptr;
  CARDEA_TRY(context.checked(
      tss.Esys_NV_ReadPublic(context.get(), index.handle(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, nullptr)));
  const EsysPtr<TPM2B_NV_PUBLIC> area_owner(area, EsysFree(tss));
  constexpr std::size_t piece = 512;  // bytes, which every TPM reads at once
  Bytes content;
  while (content.size() < area->nvPublic.dataSize) {
    TPM2B_MAX_NV_BUFFER* data = nullptr;
    const auto wanted = static_cast<UINT16>(std::min(piece, area->nvPublic.dataSize - content.size()));
    if (!context.checked(tss.Esys_NV_Read(context.get(), index.handle(), index.handle(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                          ESYS_TR_NONE, wanted, static_cast<UINT16>(content.size()), &data))) {
      return Bytes();  // not for everybody to read
    }
    const EsysPtr<TPM2B_MAX_NV_BUFFER> owner(data, EsysFree(tss));
    if (data->size == 0) break;
    content.insert(content.end(), data->buffer, data->buffer + data->size);
  }
  return without_padding(std::move(content));
}

/// TPM2_PolicySecret of the endorsement hierarchy.
Status satisfy_endorsement_policy(EsapiContext& context, const ProtectedSession& session,
                                  const SecretBytes& hierarchy_auth) {
  TSS2L_SYS_AUTH_COMMAND password{};
  password.count = 1;
  password.auths[0].sessionHandle = TPM2_RH_PW;
  CARDEA_TRY(fill_buffer(password.auths[0].hmac, hierarchy_auth.view()));
  const TPM2B_NONCE any_nonce{};
  const TPM2B_DIGEST any_command{};
  Status done = context.retried([&] {
    TSS2L_SYS_AUTH_RESPONSE answers{};
    TPM2B_TIMEOUT timeout{};
    TPMT_TK_AUTH ticket{};
    timeout.size = sizeof(timeout.buffer);
    return context.checked(context.tss().Tss2_Sys_PolicySecret(context.sys(), TPM2_RH_ENDORSEMENT, session.handle(),
                                                               &password, &any_nonce, &any_command, &any_nonce, 0,
                                                               &timeout, &ticket, &answers));
  });
  wipe({reinterpret_cast<Byte*>(&password), sizeof(password)});
  if (!done && done.code() == Code::pin_incorrect) return denied(endorsement_hierarchy, hierarchy_auth);
  return done;
}

}  // namespace

Result<EndorsementKey> TpmConnection::endorsement_key(const SecretBytes& hierarchy_auth) {
  const EndorsementTemplate* wanted = &endorsement_templates.front();
  Bytes certificate;
  for (const EndorsementTemplate& each : endorsement_templates) {
    CARDEA_ASSIGN(certificate, read_index(*context_, each.certificate));
    if (certificate.empty()) continue;
    wanted = &each;
    break;
  }
  CARDEA_ASSIGN(Primary made,
                create_primary(context_, endorsement_hierarchy, hierarchy_auth, endorsement_area(*wanted)));
  return EndorsementKey{.key = std::move(made.key),
                        .public_area = std::move(made.public_area),
                        .certificate = std::move(certificate),
                        .has_auth = wanted->high};
}

Result<AttestationKey> TpmConnection::attestation_key(ByteView unique, const SecretBytes& hierarchy_auth) {
  TPM2B_PUBLIC area =
      new_area(TPM2_ALG_ECC, born_here | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT);
  set_curve(area, TPM2_ECC_NIST_P256, /*storage=*/false);
  area.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
  area.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  CARDEA_TRY(fill_buffer(area.publicArea.unique.ecc.x, unique));
  CARDEA_ASSIGN(Primary made, create_primary(context_, endorsement_hierarchy, hierarchy_auth, area));
  return AttestationKey{std::move(made.key), std::move(made.public_area)};
}

Result<KeyCertification> TpmConnection::certify(const Loaded& key, const Loaded* protect, const Loaded& attestation_key,
                                                ByteView nonce) {
  TPM2B_DATA qualifying{};
  CARDEA_TRY(fill_buffer(qualifying, nonce));
  TPMT_SIG_SCHEME of_the_key{};
  of_the_key.scheme = TPM2_ALG_NULL;
  CARDEA_ASSIGN(const Authorisation authorisation, Authorisation::make(context_, protect, TPMA_SESSION_DECRYPT));
  CARDEA_ASSIGN(const TPM2_HANDLE handle, context_->tpm_handle(key));
  CARDEA_ASSIGN(const TPM2_HANDLE signer, context_->tpm_handle(attestation_key));
  const Tss2Api& tss = context_->tss();
  const auto prepare = [&](TSS2_SYS_CONTEXT* sys) {
    return tss.Tss2_Sys_Certify_Prepare(sys, handle, signer, &qualifying, &of_the_key);
  };
  CARDEA_TRY(authorisation.execute(prepare, TPM2_CC_Certify, key, {.after = &attestation_key}));
  TPM2B_ATTEST statement{};
  statement.size = sizeof(statement.attestationData);
  TPMT_SIGNATURE signature{};
  CARDEA_TRY(context_->checked(tss.Tss2_Sys_Certify_Complete(context_->sys(), &statement, &signature)));
  Bytes marshalled(sizeof(signature));
  std::size_t used = 0;
  CARDEA_TRY(
      context_->checked(tss.Tss2_MU_TPMT_SIGNATURE_Marshal(&signature, marshalled.data(), marshalled.size(), &used)));
  marshalled.resize(used);
  return KeyCertification{Bytes(statement.attestationData, statement.attestationData + statement.size),
                          std::move(marshalled)};
}

Result<SecretBytes> TpmConnection::activate_credential(const Loaded& storage_key, const Loaded& attestation_key,
                                                       const EndorsementKey& endorsement_key,
                                                       const SecretBytes& hierarchy_auth,
                                                       const Credential& credential) {
  TPM2B_ID_OBJECT id_object{};
  TPM2B_ENCRYPTED_SECRET secret{};
  if (credential.id_object.size() > sizeof(id_object.credential) ||
      credential.encrypted_secret.size() > sizeof(secret.secret)) {
    return error(Code::data_invalid, "the credential is too long");
  }
  id_object.size = static_cast<UINT16>(credential.id_object.size());
  std::copy(credential.id_object.begin(), credential.id_object.end(), id_object.credential);
  secret.size = static_cast<UINT16>(credential.encrypted_secret.size());
  std::copy(credential.encrypted_secret.begin(), credential.encrypted_secret.end(), secret.secret);
  const TPM2_SE kind = endorsement_key.has_auth ? TPM2_SE_HMAC : TPM2_SE_POLICY;
  CARDEA_ASSIGN(const std::shared_ptr<ProtectedSession> session,
                ProtectedSession::start(context_, storage_key, kind, TPMA_SESSION_ENCRYPT));
  if (!endorsement_key.has_auth) CARDEA_TRY(satisfy_endorsement_policy(*context_, *session, hierarchy_auth));
  CARDEA_ASSIGN(const TPM2_HANDLE attestation_handle, context_->tpm_handle(attestation_key));
  CARDEA_ASSIGN(const TPM2_HANDLE endorsement_handle, context_->tpm_handle(endorsement_key.key));
  const Tss2Api& tss = context_->tss();
  const auto prepare = [&](TSS2_SYS_CONTEXT* sys) {
    return tss.Tss2_Sys_ActivateCredential_Prepare(sys, attestation_handle, endorsement_handle, &id_object, &secret);
  };
  CARDEA_TRY(session->execute(prepare, TPM2_CC_ActivateCredential, endorsement_key.key, {.before = &attestation_key}));
  TPM2B_DIGEST recovered{};
  recovered.size = sizeof(recovered.buffer);
  CARDEA_TRY(context_->checked(tss.Tss2_Sys_ActivateCredential_Complete(context_->sys(), &recovered)));
  SecretBytes answer(view_of_buffer(recovered));
  wipe({recovered.buffer, sizeof(recovered.buffer)});
  return answer;
}

}  // namespace cardea::tpm
