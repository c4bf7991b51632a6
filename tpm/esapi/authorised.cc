#include "esapi/authorised.h"

#include <algorithm>
#include <array>

#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "tpm_remote/derivation.h"

namespace cardea::tpm {
namespace {

constexpr std::size_t cipher_key_size = 16;  // bytes: AES-128
constexpr std::size_t cipher_iv_size = 16;

std::array<Byte, 4> big_endian(std::uint32_t number) {
  return {static_cast<Byte>(number >> 24), static_cast<Byte>(number >> 16), static_cast<Byte>(number >> 8),
          static_cast<Byte>(number)};
}

Result<Bytes> hash_of(std::initializer_list<ByteView> parts) {
  CARDEA_ASSIGN(crypto::Digest digest, crypto::Digest::make(Hash::sha256));
  for (const ByteView part : parts) CARDEA_TRY(digest.update(part));
  Bytes hash(digest.size());
  CARDEA_TRY(digest.finish(hash));
  return hash;
}

Error not_authentic() {
  return error(Code::device_error, "an answer of the TPM is not authentic");
}

TPMT_SYM_DEF aes_cfb() {
  TPMT_SYM_DEF symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = cipher_key_size * 8;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return symmetric;
}

Status add_password(TSS2L_SYS_AUTH_COMMAND& authorisations, const Loaded* object) {
  if (object == nullptr) return {};
  TPMS_AUTH_COMMAND& password = authorisations.auths[authorisations.count++];
  password.sessionHandle = TPM2_RH_PW;
  password.sessionAttributes = TPMA_SESSION_CONTINUESESSION;
  return fill_buffer(password.hmac, object->auth());
}

}  // namespace

Result<std::shared_ptr<ProtectedSession>> ProtectedSession::start(const std::shared_ptr<EsapiContext>& context,
                                                                  const Loaded& storage_key, TPM2_SE type,
                                                                  TPMA_SESSION use) {
  std::shared_ptr<ProtectedSession> session(new ProtectedSession(context));
  session->policy_ = type == TPM2_SE_POLICY;
  session->attributes_ = use;
  CARDEA_ASSIGN(const SharedSecret salt, share_secret(storage_key.point(), "SECRET"));
  TPM2B_ENCRYPTED_SECRET encrypted{};
  encrypted.size = static_cast<UINT16>(salt.encrypted.size());
  std::copy(salt.encrypted.begin(), salt.encrypted.end(), encrypted.secret);
  session->nonce_caller_.size = nonce_size;
  CARDEA_TRY(crypto::random_bytes({session->nonce_caller_.buffer, nonce_size}));
  CARDEA_ASSIGN(const TPM2_HANDLE key, context->tpm_handle(storage_key));
  const TPMT_SYM_DEF symmetric = aes_cfb();
  CARDEA_TRY(context->retried([&] {
    session->nonce_tpm_.size = sizeof(session->nonce_tpm_.buffer);
    return context->checked(context->tss().Tss2_Sys_StartAuthSession(
        context->sys(), key, TPM2_RH_NULL, nullptr, &session->nonce_caller_, &encrypted, type, &symmetric,
        TPM2_ALG_SHA256, &session->handle_, &session->nonce_tpm_, nullptr));
  }));
  session->open_ = true;
  CARDEA_ASSIGN(session->session_key_, kdf_a(salt.secret.view(), "ATH", view_of_buffer(session->nonce_tpm_),
                                             view_of_buffer(session->nonce_caller_), 32));
  return session;
}

ProtectedSession::~ProtectedSession() {
  if (!open_ || context_->lost()) return;
  // What cannot be flushed is not there any more.
  static_cast<void>(context_->tss().Tss2_Sys_FlushContext(context_->sys(), handle_));
}

Result<Bytes> ProtectedSession::command_hash(TPM2_CC command, const Loaded& object, const Beside& beside) const {
  Bytes names;
  for (const Loaded* const each : {beside.before, &object, beside.after, beside.unauthorised}) {
    if (each == nullptr) continue;
    CARDEA_ASSIGN(const Bytes name, context_->name(*each));
    names.insert(names.end(), name.begin(), name.end());
  }
  std::size_t size = 0;
  const std::uint8_t* parameters = nullptr;
  CARDEA_TRY(context_->checked(context_->tss().Tss2_Sys_GetCpBuffer(context_->sys(), &size, &parameters)));
  return hash_of({big_endian(command), names, {parameters, size}});
}

Result<SecretBytes> ProtectedSession::mac(ByteView hash, ByteView newer, ByteView older,
                                          TPMA_SESSION attributes) const {
  Bytes input = to_bytes(hash);
  input.insert(input.end(), newer.begin(), newer.end());
  input.insert(input.end(), older.begin(), older.end());
  input.push_back(attributes);
  return crypto::hmac(Hash::sha256, policy_ ? session_key_.view() : value_.view(), input);
}

Status ProtectedSession::crypt(crypto::Direction direction, ByteView newer, ByteView older, MutableBytes data) const {
  CARDEA_ASSIGN(const SecretBytes key_and_iv,
                kdf_a(value_.view(), "CFB", newer, older, cipher_key_size + cipher_iv_size));
  return cfb(direction, key_and_iv.view().first(cipher_key_size), key_and_iv.view().subspan(cipher_key_size), data);
}

Status ProtectedSession::encrypt_command() {
  if ((attributes_ & TPMA_SESSION_DECRYPT) == 0) return {};
  std::size_t size = 0;
  const std::uint8_t* parameter = nullptr;
  const Tss2Api& tss = context_->tss();
  CARDEA_TRY(context_->checked(tss.Tss2_Sys_GetDecryptParam(context_->sys(), &size, &parameter)));
  SecretBytes hidden(ByteView(parameter, size));
  CARDEA_TRY(crypt(crypto::Direction::encrypt, view_of_buffer(nonce_caller_), view_of_buffer(nonce_tpm_),
                   hidden.mutable_view()));
  return context_->checked(tss.Tss2_Sys_SetDecryptParam(context_->sys(), hidden.size(), hidden.data()));
}

Status ProtectedSession::check_answer(TPM2_CC command, const Beside& beside) {
  const Tss2Api& tss = context_->tss();
  TSS2L_SYS_AUTH_RESPONSE answers{};
  CARDEA_TRY(context_->checked(tss.Tss2_Sys_GetRspAuths(context_->sys(), &answers)));
  const std::size_t place = beside.before == nullptr ? 0 : 1;
  if (answers.count != place + (beside.after == nullptr ? 1 : 2)) return not_authentic();
  const TPMS_AUTH_RESPONSE& answer = answers.auths[place];
  std::size_t size = 0;
  const std::uint8_t* parameters = nullptr;
  CARDEA_TRY(context_->checked(tss.Tss2_Sys_GetRpBuffer(context_->sys(), &size, &parameters)));
  CARDEA_ASSIGN(const Bytes hash, hash_of({big_endian(TPM2_RC_SUCCESS), big_endian(command), {parameters, size}}));
  CARDEA_ASSIGN(const SecretBytes expected,
                mac(hash, view_of_buffer(answer.nonce), view_of_buffer(nonce_caller_), answer.sessionAttributes));
  if (!equal_in_constant_time(expected.view(), view_of_buffer(answer.hmac))) return not_authentic();
  nonce_tpm_ = answer.nonce;
  return {};
}

Status ProtectedSession::decrypt_answer() {
  if ((attributes_ & TPMA_SESSION_ENCRYPT) == 0) return {};
  std::size_t size = 0;
  const std::uint8_t* parameter = nullptr;
  const Tss2Api& tss = context_->tss();
  CARDEA_TRY(context_->checked(tss.Tss2_Sys_GetEncryptParam(context_->sys(), &size, &parameter)));
  SecretBytes plain(ByteView(parameter, size));
  CARDEA_TRY(crypt(crypto::Direction::decrypt, view_of_buffer(nonce_tpm_), view_of_buffer(nonce_caller_),
                   plain.mutable_view()));
  return context_->checked(tss.Tss2_Sys_SetEncryptParam(context_->sys(), plain.size(), plain.data()));
}

Status ProtectedSession::execute(const Preparation& prepare, TPM2_CC command, const Loaded& object,
                                 const Beside& beside) {
  return context_->retried([&]() -> Status {
    CARDEA_TRY(context_->checked(prepare(context_->sys())));
    return execute_once(command, object, beside);
  });
}

Status ProtectedSession::execute_once(TPM2_CC command, const Loaded& object, const Beside& beside) {
  value_ = SecretWriter(session_key_.size() + object.auth().size()).put(session_key_.view()).put(object.auth()).take();
  CARDEA_TRY(crypto::random_bytes({nonce_caller_.buffer, nonce_caller_.size}));
  CARDEA_TRY(encrypt_command());
  CARDEA_ASSIGN(const Bytes hash, command_hash(command, object, beside));
  CARDEA_ASSIGN(const SecretBytes proof,
                mac(hash, view_of_buffer(nonce_caller_), view_of_buffer(nonce_tpm_), attributes_));
  TSS2L_SYS_AUTH_COMMAND authorisation{};
  CARDEA_TRY(add_password(authorisation, beside.before));
  TPMS_AUTH_COMMAND& own = authorisation.auths[authorisation.count++];
  own.sessionHandle = handle_;
  own.nonce = nonce_caller_;
  own.sessionAttributes = attributes_;
  CARDEA_TRY(fill_buffer(own.hmac, proof.view()));
  CARDEA_TRY(add_password(authorisation, beside.after));
  const Tss2Api& tss = context_->tss();
  CARDEA_TRY(context_->checked(tss.Tss2_Sys_SetCmdAuths(context_->sys(), &authorisation)));
  CARDEA_TRY(context_->checked(tss.Tss2_Sys_Execute(context_->sys())));
  // Nobody asked to keep it, so the TPM has ended it with the command.
  open_ = false;
  CARDEA_TRY(check_answer(command, beside));
  return decrypt_answer();
}

Result<Authorisation> Authorisation::make(const std::shared_ptr<EsapiContext>& context, const Loaded* storage_key,
                                          TPMA_SESSION use) {
  Authorisation authorisation;
  authorisation.context_ = context;
  if (storage_key != nullptr) {
    CARDEA_ASSIGN(authorisation.session_, ProtectedSession::start(context, *storage_key, TPM2_SE_HMAC, use));
  }
  return authorisation;
}

Status Authorisation::execute(const Preparation& prepare, TPM2_CC command, const Loaded& object,
                              const Beside& beside) const {
  if (session_) return session_->execute(prepare, command, object, beside);
  return context_->retried([&]() -> Status {
    CARDEA_TRY(context_->checked(prepare(context_->sys())));
    return execute_with_password(object, beside);
  });
}

Status Authorisation::execute_with_password(const Loaded& object, const Beside& beside) const {
  TSS2L_SYS_AUTH_COMMAND passwords{};
  CARDEA_TRY(add_password(passwords, beside.before));
  CARDEA_TRY(add_password(passwords, &object));
  CARDEA_TRY(add_password(passwords, beside.after));
  const Tss2Api& tss = context_->tss();
  Status done = context_->checked(tss.Tss2_Sys_SetCmdAuths(context_->sys(), &passwords));
  wipe({reinterpret_cast<Byte*>(&passwords), sizeof(passwords)});
  CARDEA_TRY(std::move(done));
  return context_->checked(tss.Tss2_Sys_Execute(context_->sys()));
}

}  // namespace cardea::tpm
