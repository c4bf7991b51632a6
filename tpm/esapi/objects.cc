// Objects: made, sealed, loaded, opened.
#include <algorithm>
#include <array>

#include "crypto/digest.h"
#include "esapi/authorised.h"
#include "esapi/esapi_context.h"
#include "esapi/key_area.h"

namespace cardea::tpm {
namespace {

constexpr TPMA_OBJECT stays_here = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT;
constexpr TPMA_OBJECT uses_auth = TPMA_OBJECT_USERWITHAUTH;
// Authorised by 256 random bits, which nobody guesses: failures need not count, and a lock-out does not stop them.
constexpr TPMA_OBJECT no_lock_out = TPMA_OBJECT_NODA;

Status set_sensitive(TPM2B_SENSITIVE_CREATE& sensitive, ByteView auth, ByteView data) {
  CARDEA_TRY(fill_buffer(sensitive.sensitive.userAuth, auth));
  return fill_buffer(sensitive.sensitive.data, data);
}

/// TPM2_Create in a session that hides the secrets. The parent, a storage key of ours, has an empty authorisation.
Result<Blob> create(const std::shared_ptr<EsapiContext>& context, const Loaded& parent, ByteView auth, ByteView data,
                    const TPM2B_PUBLIC& area) {
  CARDEA_ASSIGN(const Authorisation authorisation, Authorisation::make(context, &parent, TPMA_SESSION_DECRYPT));
  CARDEA_ASSIGN(const TPM2_HANDLE handle, context->tpm_handle(parent));
  const Tss2Api& tss = context->tss();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION no_pcrs{};
  TPM2B_SENSITIVE_CREATE sensitive{};
  Status done = set_sensitive(sensitive, auth, data);
  if (done) {
    const auto prepare = [&](TSS2_SYS_CONTEXT* sys) {
      return tss.Tss2_Sys_Create_Prepare(sys, handle, &sensitive, &area, &outside, &no_pcrs);
    };
    done = authorisation.execute(prepare, TPM2_CC_Create, parent);
  }
  wipe({reinterpret_cast<Byte*>(&sensitive), sizeof(sensitive)});
  CARDEA_TRY(std::move(done));
  TPM2B_PRIVATE private_area{};
  TPM2B_PUBLIC public_area{};
  TPM2B_CREATION_DATA creation_data{};
  TPM2B_DIGEST creation_hash{};
  TPMT_TK_CREATION creation_ticket{};
  private_area.size = sizeof(private_area.buffer);
  creation_hash.size = sizeof(creation_hash.buffer);
  CARDEA_TRY(context->checked(tss.Tss2_Sys_Create_Complete(context->sys(), &private_area, &public_area, &creation_data,
                                                           &creation_hash, &creation_ticket)));
  CARDEA_ASSIGN(Bytes marshalled, marshal(tss, public_area));
  return Blob{std::move(marshalled), to_bytes(view_of_buffer(private_area))};
}

/// The policy that only an answered challenge of that key satisfies (TPM2_PolicySigned, part 3, 23.3.1).
Result<Bytes> challenge_policy(ByteView key_name) {
  constexpr std::array<Byte, 32> nothing_yet{};
  constexpr std::array<Byte, 4> command{0, 0, TPM2_CC_PolicySigned >> 8, TPM2_CC_PolicySigned & 0xff};
  Bytes first;
  for (const ByteView part : {ByteView(nothing_yet), ByteView(command), key_name}) {
    first.insert(first.end(), part.begin(), part.end());
  }
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, first));
  return crypto::digest(Hash::sha256, digest);  // with an empty policyRef
}

}  // namespace

TPM2B_PUBLIC new_area(TPMI_ALG_PUBLIC type, TPMA_OBJECT attributes) {
  TPM2B_PUBLIC area{};
  area.publicArea.type = type;
  area.publicArea.nameAlg = TPM2_ALG_SHA256;
  area.publicArea.objectAttributes = attributes;
  return area;
}

void set_curve(TPM2B_PUBLIC& area, TPM2_ECC_CURVE curve, bool storage) {
  TPMS_ECC_PARMS& parameters = area.publicArea.parameters.eccDetail;
  parameters.symmetric.algorithm = storage ? TPM2_ALG_AES : TPM2_ALG_NULL;
  parameters.symmetric.keyBits.aes = 128;
  parameters.symmetric.mode.aes = TPM2_ALG_CFB;
  parameters.scheme.scheme = TPM2_ALG_NULL;
  parameters.curveID = curve;
  parameters.kdf.scheme = TPM2_ALG_NULL;
}

Result<TPM2B_PUBLIC> key_area(const KeyTemplate& wanted) {
  // Both uses, whatever the caller intends: raw RSA is TPM2_RSA_Decrypt, and with it PSS has the salt that PKCS#11
  // callers ask for, which a TPM's own PSS has not. What a key may do in PKCS#11 its attributes say.
  constexpr TPMA_OBJECT attributes = stays_here | uses_auth | no_lock_out | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                                     TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_DECRYPT;
  if (wanted.algorithm == crypto::KeyAlgorithm::rsa) {
    TPM2B_PUBLIC area = new_area(TPM2_ALG_RSA, attributes);
    TPMS_RSA_PARMS& parameters = area.publicArea.parameters.rsaDetail;
    parameters.symmetric.algorithm = TPM2_ALG_NULL;
    parameters.scheme.scheme = TPM2_ALG_NULL;
    parameters.keyBits = static_cast<TPMI_RSA_KEY_BITS>(wanted.bits);
    return area;
  }
  const TPM2_ECC_CURVE curve = curve_number(wanted.algorithm);
  if (curve == TPM2_ECC_NONE) return Code::curve_not_supported;
  TPM2B_PUBLIC area = new_area(TPM2_ALG_ECC, attributes);
  set_curve(area, curve, /*storage=*/false);
  return area;
}

Error denied(const Hierarchy& hierarchy, const SecretBytes& hierarchy_auth) {
  const std::string name(hierarchy.name);
  const std::string setting(hierarchy.setting);
  return error(
      Code::function_failed,
      hierarchy_auth.empty()
          ? "the TPM's " + name + " hierarchy has an authorisation; name a file with it as " + setting +
                " in the table [tpm] of cardea.toml"
          : "what the file of " + setting + " holds is not the authorisation of the TPM's " + name + " hierarchy");
}

Result<Primary> create_primary(const std::shared_ptr<EsapiContext>& context, const Hierarchy& hierarchy,
                               const SecretBytes& hierarchy_auth, const TPM2B_PUBLIC& area) {
  const Tss2Api& tss = context->tss();
  TPM2B_AUTH auth{};
  CARDEA_TRY(fill_buffer(auth, hierarchy_auth.view()));
  Status done = context->checked(tss.Esys_TR_SetAuth(context->get(), hierarchy.handle, &auth));
  wipe({auth.buffer, sizeof(auth.buffer)});
  CARDEA_TRY(std::move(done));
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION no_pcrs{};
  ESYS_TR handle = ESYS_TR_NONE;
  TPM2B_PUBLIC* made = nullptr;
  done = context->checked(tss.Esys_CreatePrimary(context->get(), hierarchy.handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                                 ESYS_TR_NONE, &sensitive, &area, &outside, &no_pcrs, &handle, &made,
                                                 nullptr, nullptr, nullptr));
  if (!done && done.code() == Code::pin_incorrect) return denied(hierarchy, hierarchy_auth);
  CARDEA_TRY(std::move(done));
  const EsysPtr<TPM2B_PUBLIC> owner(made, EsysFree(tss));
  Primary primary{.key = Loaded(context, handle), .public_area = {}};  // flushed should the rest fail
  CARDEA_ASSIGN(primary.public_area, marshal(tss, *made));
  return primary;
}

namespace {

Result<Primary> create_storage_key(const std::shared_ptr<EsapiContext>& context, ByteView unique,
                                   const SecretBytes& hierarchy_auth) {
  TPM2B_PUBLIC area = new_area(TPM2_ALG_ECC, stays_here | uses_auth | no_lock_out | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                                                 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT);
  set_curve(area, TPM2_ECC_NIST_P256, /*storage=*/true);
  CARDEA_TRY(fill_buffer(area.publicArea.unique.ecc.x, unique));
  return create_primary(context, owner_hierarchy, hierarchy_auth, area);
}

}  // namespace

Result<Loaded> TpmConnection::storage_key(ByteView unique, const SecretBytes& hierarchy_auth) {
  CARDEA_ASSIGN(Primary made, create_storage_key(context_, unique, hierarchy_auth));
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr public_half, public_key({made.public_area, {}}));
  CARDEA_ASSIGN(Bytes point, public_half->public_value());
  made.key.set_point(std::move(point));
  return std::move(made.key);
}

Result<Bytes> TpmConnection::storage_key_area(ByteView unique, const SecretBytes& hierarchy_auth) {
  CARDEA_ASSIGN(Primary made, create_storage_key(context_, unique, hierarchy_auth));
  return std::move(made.public_area);
}

Result<Bytes> TpmConnection::name(const Loaded& object) {
  return context_->name(object);
}

Result<Blob> TpmConnection::create_key(const Loaded& parent, const KeyTemplate& wanted, const SecretBytes& auth) {
  CARDEA_ASSIGN(const TPM2B_PUBLIC area, key_area(wanted));
  return create(context_, parent, auth.view(), {}, area);
}

Result<Blob> TpmConnection::seal(const Loaded& parent, const SecretBytes& secret, const SecretBytes& auth) {
  TPM2B_PUBLIC area = new_area(TPM2_ALG_KEYEDHASH, stays_here | uses_auth);
  area.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  return create(context_, parent, auth.view(), secret.view(), area);
}

Result<Blob> TpmConnection::seal_to_tpm(const Loaded& parent, const SecretBytes& secret) {
  TPM2B_PUBLIC area = new_area(TPM2_ALG_KEYEDHASH, stays_here | uses_auth | no_lock_out);
  area.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  return create(context_, parent, {}, secret.view(), area);
}

Result<Blob> TpmConnection::create_challenge_key(const Loaded& parent, const SecretBytes& key) {
  TPM2B_PUBLIC area = new_area(TPM2_ALG_KEYEDHASH, stays_here | uses_auth | no_lock_out | TPMA_OBJECT_SIGN_ENCRYPT);
  TPMT_KEYEDHASH_SCHEME& scheme = area.publicArea.parameters.keyedHashDetail.scheme;
  scheme.scheme = TPM2_ALG_HMAC;
  scheme.details.hmac.hashAlg = TPM2_ALG_SHA256;
  // With an authorisation value that nobody knows, so that the TPM answers no challenges itself.
  SecretBytes nobody_knows(auth_size);
  CARDEA_TRY(random(nobody_knows.mutable_view()));
  return create(context_, parent, nobody_knows.view(), key.view(), area);
}

Result<Blob> TpmConnection::seal_under_challenge(const Loaded& parent, const SecretBytes& secret,
                                                 const Loaded& challenge_key) {
  TPM2B_PUBLIC area = new_area(TPM2_ALG_KEYEDHASH, stays_here | no_lock_out);
  area.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  CARDEA_ASSIGN(const Bytes key_name, name(challenge_key));
  CARDEA_ASSIGN(const Bytes policy, challenge_policy(key_name));
  CARDEA_TRY(fill_buffer(area.publicArea.authPolicy, policy));
  return create(context_, parent, {}, secret.view(), area);
}

Result<Loaded> TpmConnection::load(const Loaded& parent, const Blob& blob) {
  const Tss2Api& tss = context_->tss();
  CARDEA_ASSIGN(const TPM2B_PUBLIC public_area, unmarshal(tss, blob.public_area));
  TPM2B_PRIVATE private_area{};
  CARDEA_TRY(fill_buffer(private_area, blob.private_area));
  ESYS_TR handle = ESYS_TR_NONE;
  CARDEA_TRY(context_->checked(tss.Esys_Load(context_->get(), parent.handle(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                             ESYS_TR_NONE, &private_area, &public_area, &handle)));
  return Loaded(context_, handle);
}

namespace {

/// TPM2_Unseal in a session that hides the answer.
Result<SecretBytes> unseal_in(EsapiContext& context, ProtectedSession& session, const Loaded& sealed) {
  const Tss2Api& tss = context.tss();
  CARDEA_ASSIGN(const TPM2_HANDLE handle, context.tpm_handle(sealed));
  const auto prepare = [&](TSS2_SYS_CONTEXT* sys) { return tss.Tss2_Sys_Unseal_Prepare(sys, handle); };
  CARDEA_TRY(session.execute(prepare, TPM2_CC_Unseal, sealed));
  TPM2B_SENSITIVE_DATA data{};
  data.size = sizeof(data.buffer);
  CARDEA_TRY(context.checked(tss.Tss2_Sys_Unseal_Complete(context.sys(), &data)));
  SecretBytes secret(view_of_buffer(data));
  wipe({data.buffer, sizeof(data.buffer)});
  if (secret.size() != secret_size) return error(Code::store_corrupt, "the sealed secret has a wrong size");
  return secret;
}

}  // namespace

Result<SecretBytes> TpmConnection::unseal(const Loaded& parent, const Loaded& sealed) {
  CARDEA_ASSIGN(const std::shared_ptr<ProtectedSession> session,
                ProtectedSession::start(context_, parent, TPM2_SE_HMAC, TPMA_SESSION_ENCRYPT));
  return unseal_in(*context_, *session, sealed);
}

Result<Challenge> TpmConnection::challenge(const Loaded& parent) {
  CARDEA_ASSIGN(std::shared_ptr<ProtectedSession> session,
                ProtectedSession::start(context_, parent, TPM2_SE_POLICY, TPMA_SESSION_ENCRYPT));
  Bytes nonce = to_bytes(session->nonce());
  return Challenge{std::move(session), std::move(nonce)};
}

Result<SecretBytes> TpmConnection::unseal(const Challenge& challenge, const Loaded& challenge_key, ByteView answer,
                                          const Loaded& sealed) {
  TPMT_SIGNATURE signature{};
  signature.sigAlg = TPM2_ALG_HMAC;
  signature.signature.hmac.hashAlg = TPM2_ALG_SHA256;
  if (answer.size() != sizeof(signature.signature.hmac.digest.sha256)) return Code::pin_incorrect;
  std::copy(answer.begin(), answer.end(), signature.signature.hmac.digest.sha256);
  TPM2B_NONCE nonce{};
  CARDEA_TRY(fill_buffer(nonce, challenge.nonce));
  const TPM2B_DIGEST any_command{};
  const TPM2B_NONCE no_reference{};
  TPM2B_TIMEOUT timeout{};
  TPMT_TK_AUTH ticket{};
  CARDEA_ASSIGN(const TPM2_HANDLE key, context_->tpm_handle(challenge_key));
  const Status accepted = context_->retried([&] {
    timeout.size = sizeof(timeout.buffer);
    return context_->checked(context_->tss().Tss2_Sys_PolicySigned(context_->sys(), key, challenge.session->handle(),
                                                                   nullptr, &nonce, &any_command, &no_reference, 0,
                                                                   &signature, &timeout, &ticket, nullptr));
  });
  if (!accepted) {
    // The TPM says only that the signature does not verify (TPM_RC_SIGNATURE).
    return accepted.code() == Code::device_removed ? accepted.error() : error(Code::pin_incorrect);
  }
  return unseal_in(*context_, *challenge.session, sealed);
}

}  // namespace cardea::tpm
