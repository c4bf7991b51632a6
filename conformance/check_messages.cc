// Functions of 3.0 and 3.2: messages, signatures given first, authenticated wrapping, C_LoginUser.
#include "conformance/stage.h"

namespace cardea::conformance {
namespace {

using p11::Bytes;

void need(Context& context, CK_MECHANISM_TYPE type, CK_FLAGS flag) {
  if (context.module().version() < 0x0300) context.skip("a module of version 2");
  if ((context.module().mechanism_flags(context.slot(), type) & flag) != flag) {
    context.skip("the token has no " + mechanism_name(type) + " for this");
  }
}

/// A GCM message: its nonce and tag stay with the caller.
struct GcmMessage {
  Bytes iv = sample_data(12);
  Bytes tag = Bytes(16);
  CK_GCM_MESSAGE_PARAMS parameter(CK_GENERATOR_FUNCTION generator = CKG_NO_GENERATE) {
    return {iv.data(), iv.size(), 0, generator, tag.data(), 128};
  }
};

void gcm_messages(const Stage& t) {
  need(t.context, CKM_AES_GCM, CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT);
  const KeyPair key = t.ring.key(KeyKind::aes, CKF_ENCRYPT | CKF_DECRYPT);
  p11::Mechanism gcm(CKM_AES_GCM);
  Bytes data = sample_data(37), aad = sample_data(13), secret(64), plain(64);
  t.context.require_ok("C_MessageEncryptInit", t.module->C_MessageEncryptInit(t.s, gcm, key.encryptor));
  t.context.require_ok("C_MessageDecryptInit", t.module->C_MessageDecryptInit(t.s, gcm, key.decryptor));
  Bytes nonces[2];
  for (int round = 0; round < 2; ++round) {
    GcmMessage message;
    auto parameter = message.parameter(CKG_GENERATE_RANDOM);
    CK_ULONG size = secret.size();
    t.context.require_ok("C_EncryptMessage", t.module->C_EncryptMessage(t.s, &parameter, sizeof(parameter), aad.data(),
                                                                        13, data.data(), 37, secret.data(), &size));
    t.context.expect(size == 37, "a GCM ciphertext of another length than its plaintext");
    nonces[round] = message.iv;
    parameter = message.parameter();
    CK_ULONG back = plain.size();
    t.context.require_ok("C_DecryptMessage", t.module->C_DecryptMessage(t.s, &parameter, sizeof(parameter), aad.data(),
                                                                        13, secret.data(), size, plain.data(), &back));
    t.context.expect(Bytes(plain.begin(), plain.begin() + 37) == data && back == 37, "the message is another");
    message.tag[0] ^= 1;
    back = plain.size();
    t.context.expect(t.module->C_DecryptMessage(t.s, &parameter, sizeof(parameter), aad.data(), 13, secret.data(), size,
                                                plain.data(), &back) != CKR_OK,
                     "a changed tag is accepted");
  }
  t.context.expect(nonces[0] != nonces[1], "two messages got the same nonce");
  t.context.require_ok("C_MessageEncryptFinal", t.module->C_MessageEncryptFinal(t.s));
  t.context.expect_rv("a second C_MessageEncryptFinal", t.module->C_MessageEncryptFinal(t.s),
                      {CKR_OPERATION_NOT_INITIALIZED});
  t.module->C_MessageDecryptFinal(t.s);
}

void gcm_message_parts(const Stage& t) {
  need(t.context, CKM_AES_GCM, CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT);
  const KeyPair key = t.ring.key(KeyKind::aes, CKF_ENCRYPT | CKF_DECRYPT);
  p11::Mechanism gcm(CKM_AES_GCM);
  Bytes data = sample_data(37), aad = sample_data(13), whole(64), parts(64);
  GcmMessage one, other;
  auto parameter = one.parameter();
  t.context.require_ok("C_MessageEncryptInit", t.module->C_MessageEncryptInit(t.s, gcm, key.encryptor));
  CK_ULONG size = whole.size();
  t.context.require_ok("C_EncryptMessage", t.module->C_EncryptMessage(t.s, &parameter, sizeof(parameter), aad.data(),
                                                                      13, data.data(), 37, whole.data(), &size));
  whole.resize(size);
  auto second = other.parameter();
  t.context.require_ok("C_EncryptMessageBegin",
                       t.module->C_EncryptMessageBegin(t.s, &second, sizeof(second), aad.data(), 13));
  CK_ULONG first_size = parts.size();
  t.context.require_ok("C_EncryptMessageNext", t.module->C_EncryptMessageNext(t.s, &second, sizeof(second), data.data(),
                                                                              20, parts.data(), &first_size, 0));
  CK_ULONG last_size = parts.size() - first_size;
  t.context.require_ok("the last C_EncryptMessageNext",
                       t.module->C_EncryptMessageNext(t.s, &second, sizeof(second), data.data() + 20, 17,
                                                      parts.data() + first_size, &last_size, CKF_END_OF_MESSAGE));
  parts.resize(first_size + last_size);
  t.context.expect(parts == whole && one.tag == other.tag, "a message in parts differs from one part");
  t.context.require_ok("C_MessageEncryptFinal", t.module->C_MessageEncryptFinal(t.s));
}

void message_signatures(const Stage& t, KeyKind kind, CK_MECHANISM_TYPE type) {
  need(t.context, type, CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY);
  const KeyPair key = t.ring.key(kind, CKF_SIGN | CKF_VERIFY);
  p11::Mechanism mechanism(type);
  Bytes data = sample_data(32);
  t.context.require_ok("C_MessageSignInit", t.module->C_MessageSignInit(t.s, mechanism, key.decryptor));
  t.context.require_ok("C_MessageVerifyInit", t.module->C_MessageVerifyInit(t.s, mechanism, key.encryptor));
  for (int round = 0; round < 2; ++round) {
    data[1] = static_cast<std::uint8_t>(round);
    const auto signature = p11::fetch([&](CK_BYTE* o, CK_ULONG* n) {
      return t.module->C_SignMessage(t.s, nullptr, 0, data.data(), data.size(), o, n);
    });
    t.context.require_ok("C_SignMessage", signature.rv);
    t.context.require_ok("C_VerifyMessage",
                         t.module->C_VerifyMessage(t.s, nullptr, 0, data.data(), data.size(), p11::in(signature.bytes),
                                                   signature.bytes.size()));
    Bytes wrong = signature.bytes;
    wrong.back() ^= 1;
    t.context.expect_rv(
        "C_VerifyMessage of a changed signature",
        t.module->C_VerifyMessage(t.s, nullptr, 0, data.data(), data.size(), wrong.data(), wrong.size()),
        {CKR_SIGNATURE_INVALID});
  }
  t.context.require_ok("C_MessageSignFinal", t.module->C_MessageSignFinal(t.s));
  t.context.require_ok("C_MessageVerifyFinal", t.module->C_MessageVerifyFinal(t.s));
}

void signature_first(const Stage& t, KeyKind kind, CK_MECHANISM_TYPE type, bool parts) {
  if (t.module.version() < 0x0302) t.context.skip("a module before version 3.2");
  need(t.context, type, CKF_SIGN | CKF_VERIFY);
  const KeyPair key = t.ring.key(kind, CKF_SIGN | CKF_VERIFY);
  p11::Mechanism mechanism(type);
  Bytes data = sample_data(32);
  Bytes signature = t.ring.session().sign(mechanism, key.decryptor, data).bytes;
  const auto start = [&](Bytes& given) {
    t.context.require_ok("C_VerifySignatureInit",
                         t.module->C_VerifySignatureInit(t.s, mechanism, key.encryptor, given.data(), given.size()));
  };
  start(signature);
  t.context.require_ok("C_VerifySignature", t.module->C_VerifySignature(t.s, data.data(), data.size()));
  Bytes wrong = signature;
  wrong.back() ^= 1;
  start(wrong);
  t.context.expect_rv("C_VerifySignature of a changed signature",
                      t.module->C_VerifySignature(t.s, data.data(), data.size()), {CKR_SIGNATURE_INVALID});
  if (!parts) return;
  start(signature);
  t.context.require_ok("C_VerifySignatureUpdate", t.module->C_VerifySignatureUpdate(t.s, data.data(), 5));
  t.context.require_ok("C_VerifySignatureUpdate",
                       t.module->C_VerifySignatureUpdate(t.s, data.data() + 5, data.size() - 5));
  t.context.require_ok("C_VerifySignatureFinal", t.module->C_VerifySignatureFinal(t.s));
}

void authenticated_wrapping(const Stage& t) {
  if (t.module.version() < 0x0302) t.context.skip("a module before version 3.2");
  need(t.context, CKM_AES_GCM, CKF_WRAP | CKF_UNWRAP);
  const KeyPair key = t.ring.key(KeyKind::aes, CKF_WRAP | CKF_UNWRAP);
  const KeyPair target = t.ring.key(KeyKind::aes, CKF_ENCRYPT | CKF_DECRYPT, 16);
  Bytes aad = sample_data(13), room(256);
  GcmMessage message;
  p11::Mechanism wrapper(CKM_AES_GCM, message.parameter(CKG_GENERATE_RANDOM));
  CK_ULONG size = room.size();
  const CK_RV rv = t.module->C_WrapKeyAuthenticated(t.s, wrapper, key.encryptor, target.encryptor, aad.data(),
                                                    aad.size(), room.data(), &size);
  t.context.require_ok("C_WrapKeyAuthenticated", rv);
  p11::Mechanism opener(CKM_AES_GCM, message.parameter());
  p11::Template attributes;
  attributes.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).boolean(CKA_TOKEN, false);
  attributes.boolean(CKA_ENCRYPT, true);
  CK_OBJECT_HANDLE back = 0;
  const auto unwrap = [&] {
    return t.module->C_UnwrapKeyAuthenticated(t.s, opener, key.decryptor, room.data(), size, attributes.data(),
                                              attributes.size(), aad.data(), aad.size(), &back);
  };
  t.context.require_ok("C_UnwrapKeyAuthenticated", unwrap());
  const auto encrypt = [&](CK_OBJECT_HANDLE k) {
    return t.ring.session().encrypt(p11::Mechanism(CKM_AES_ECB), k, sample_data(16)).bytes;
  };
  t.context.expect(encrypt(back) == encrypt(target.encryptor), "the unwrapped key is another one");
  aad[0] ^= 1;
  t.context.expect(unwrap() != CKR_OK, "other associated data are accepted");
  aad[0] ^= 1;
  room[0] ^= 1;
  t.context.expect(unwrap() != CKR_OK, "a changed wrapped key is accepted");
  t.context.expect(message.iv != sample_data(12), "the module did not make the nonce");
}

void login_user(const Stage& t) {
  if (t.module.version() < 0x0300) t.context.skip("a module of version 2");
  t.context.require_ok("C_Logout", t.module->C_Logout(t.s));
  Bytes pin = p11::bytes_of(t.context.target().pin);
  const CK_RV rv = t.module->C_LoginUser(t.s, CKU_USER, pin.data(), pin.size(), nullptr, 0);
  if (rv == CKR_FUNCTION_NOT_SUPPORTED) t.context.skip("the module knows no user names");
  t.context.require_ok("C_LoginUser without a name", rv);
}

void validation_flags(const Stage& t) {
  if (t.module.version() < 0x0302) t.context.skip("a module before version 3.2");
  CK_FLAGS flags = 77;
  t.context.expect_rv("C_GetSessionValidationFlags",
                      t.module->C_GetSessionValidationFlags(t.s, CKS_LAST_VALIDATION_OK, &flags),
                      {CKR_OK, CKR_FUNCTION_NOT_SUPPORTED});
}

}  // namespace

void check_messages(Context& context) {
  const auto step = [&](const std::string& name, const StageBody& body) { stage_step(context, name, body); };
  step("gcm", gcm_messages);
  step("gcm_parts", gcm_message_parts);
  step("hmac", [](const Stage& t) { message_signatures(t, KeyKind::generic, CKM_SHA256_HMAC); });
  step("rsa", [](const Stage& t) { message_signatures(t, KeyKind::rsa, CKM_SHA256_RSA_PKCS); });
  step("ecdsa", [](const Stage& t) { message_signatures(t, KeyKind::ec, CKM_ECDSA_SHA256); });
  step("signature_first_rsa", [](const Stage& t) { signature_first(t, KeyKind::rsa, CKM_SHA256_RSA_PKCS, true); });
  step("signature_first_ecdsa", [](const Stage& t) { signature_first(t, KeyKind::ec, CKM_ECDSA, false); });
  step("signature_first_hmac", [](const Stage& t) { signature_first(t, KeyKind::generic, CKM_SHA256_HMAC, true); });
  step("authenticated_wrapping", authenticated_wrapping);
  step("login_user", login_user);
  step("validation_flags", validation_flags);
}

}  // namespace cardea::conformance
