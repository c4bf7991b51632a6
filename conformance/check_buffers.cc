// Output lengths (PKCS#11 3.2, 5.2): a length query or a short buffer says the length and leaves the operation alive.
#include "conformance/stage.h"

namespace cardea::conformance {
namespace {

using p11::Bytes;

/// Tries an output function whose operation `start` begins. `call(buffer, &length)` is the function.
template <typename Start, typename Call>
void try_output(Context& context, const std::string& name, Start start, Call call) {
  context.require_ok("the start of " + name, start());
  CK_ULONG asked = 0;
  context.require_ok(name + " for the length", call(nullptr, &asked));
  context.require(asked > 0, name + " says length 0");
  Bytes buffer(asked + 1, 0xee);
  CK_ULONG size = 0;
  context.expect_rv(name + " with room for nothing", call(buffer.data(), &size), {CKR_BUFFER_TOO_SMALL});
  context.expect(size > 0 && size <= asked, name + " leaves the length unset on CKR_BUFFER_TOO_SMALL");
  context.expect(buffer[0] == 0xee, name + " writes into a buffer that is too small");
  size = asked;
  context.require_ok(name + " after the questions", call(buffer.data(), &size));
  context.expect(size <= asked, name + " gives more than it announced");
  context.expect(buffer[asked] == 0xee, name + " writes past its length");
  // The operation is over now, whatever its kind.
  size = asked;
  context.expect_rv(name + " after its end", call(buffer.data(), &size), {CKR_OPERATION_NOT_INITIALIZED});
  // An error other than CKR_BUFFER_TOO_SMALL ends the operation.
  context.require_ok("the start of " + name, start());
  context.expect_rv(name + " without a length", call(buffer.data(), nullptr), {CKR_ARGUMENTS_BAD});
  size = asked;
  context.expect_rv(name + " after an error", call(buffer.data(), &size), {CKR_OPERATION_NOT_INITIALIZED});
}

void need(Context& context, CK_MECHANISM_TYPE type, CK_FLAGS flag) {
  if ((context.module().mechanism_flags(context.slot(), type) & flag) == 0) {
    context.skip("the token has no " + mechanism_name(type) + " for this");
  }
}

void one_part(const Stage& t) {
  const Bytes data = sample_data(32);
  need(t.context, CKM_AES_CBC_PAD, CKF_ENCRYPT);
  const KeyPair key = t.ring.key(KeyKind::aes, CKF_ENCRYPT | CKF_DECRYPT);
  p11::Mechanism cbc(CKM_AES_CBC_PAD, sample_data(16));
  try_output(
      t.context, "C_Encrypt", [&] { return t.module->C_EncryptInit(t.s, cbc, key.encryptor); },
      [&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_Encrypt(t.s, p11::in(data), data.size(), o, n); });
  const Bytes secret = t.ring.session().encrypt(cbc, key.encryptor, data).bytes;
  try_output(
      t.context, "C_Decrypt", [&] { return t.module->C_DecryptInit(t.s, cbc, key.decryptor); },
      [&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_Decrypt(t.s, p11::in(secret), secret.size(), o, n); });
}

void encrypt_final(const Stage& t) {
  need(t.context, CKM_AES_CBC_PAD, CKF_ENCRYPT);
  const KeyPair key = t.ring.key(KeyKind::aes, CKF_ENCRYPT | CKF_DECRYPT);
  p11::Mechanism cbc(CKM_AES_CBC_PAD, sample_data(16));
  Bytes data = sample_data(5), room(64);
  try_output(
      t.context, "C_EncryptFinal",
      [&] {
        CK_ULONG size = room.size();
        const CK_RV rv = t.module->C_EncryptInit(t.s, cbc, key.encryptor);
        return rv != CKR_OK ? rv : t.module->C_EncryptUpdate(t.s, data.data(), data.size(), room.data(), &size);
      },
      [&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_EncryptFinal(t.s, o, n); });
}

void encrypt_update(const Stage& t) {
  need(t.context, CKM_AES_CBC, CKF_ENCRYPT);
  const KeyPair key = t.ring.key(KeyKind::aes, CKF_ENCRYPT | CKF_DECRYPT);
  p11::Mechanism cbc(CKM_AES_CBC, sample_data(16));
  Bytes data = sample_data(32), room(64);
  t.context.require_ok("C_EncryptInit", t.module->C_EncryptInit(t.s, cbc, key.encryptor));
  CK_ULONG size = 0;
  t.context.require_ok("C_EncryptUpdate for the length",
                       t.module->C_EncryptUpdate(t.s, data.data(), data.size(), nullptr, &size));
  t.context.expect(size >= 32, "C_EncryptUpdate announces too little");
  size = 1;
  t.context.expect_rv("C_EncryptUpdate with room for one byte",
                      t.module->C_EncryptUpdate(t.s, data.data(), data.size(), room.data(), &size),
                      {CKR_BUFFER_TOO_SMALL});
  t.context.expect(size >= 32, "C_EncryptUpdate leaves the length unset");
  size = room.size();
  t.context.require_ok("C_EncryptUpdate", t.module->C_EncryptUpdate(t.s, data.data(), data.size(), room.data(), &size));
  CK_ULONG rest = room.size() - size;
  t.context.require_ok("C_EncryptFinal", t.module->C_EncryptFinal(t.s, room.data() + size, &rest));
  room.resize(size + rest);
  t.context.expect(room == t.ring.session().encrypt(cbc, key.encryptor, data).bytes,
                   "the questions changed the ciphertext");
}

void digests(const Stage& t) {
  need(t.context, CKM_SHA256, CKF_DIGEST);
  const Bytes data = sample_data(10);
  p11::Mechanism sha(CKM_SHA256);
  try_output(
      t.context, "C_Digest", [&] { return t.module->C_DigestInit(t.s, sha); },
      [&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_Digest(t.s, p11::in(data), data.size(), o, n); });
  try_output(
      t.context, "C_DigestFinal",
      [&] {
        const CK_RV rv = t.module->C_DigestInit(t.s, sha);
        return rv != CKR_OK ? rv : t.module->C_DigestUpdate(t.s, p11::in(data), data.size());
      },
      [&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_DigestFinal(t.s, o, n); });
}

void signatures(const Stage& t, KeyKind kind, CK_MECHANISM_TYPE type) {
  need(t.context, type, CKF_SIGN);
  const KeyPair key = t.ring.key(kind, CKF_SIGN | CKF_VERIFY);
  const Bytes data = sample_data(10);
  p11::Mechanism mechanism(type);
  try_output(
      t.context, "C_Sign", [&] { return t.module->C_SignInit(t.s, mechanism, key.decryptor); },
      [&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_Sign(t.s, p11::in(data), data.size(), o, n); });
  try_output(
      t.context, "C_SignFinal",
      [&] {
        const CK_RV rv = t.module->C_SignInit(t.s, mechanism, key.decryptor);
        return rv != CKR_OK ? rv : t.module->C_SignUpdate(t.s, p11::in(data), data.size());
      },
      [&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_SignFinal(t.s, o, n); });
}

void recovery(const Stage& t) {
  need(t.context, CKM_RSA_PKCS, CKF_SIGN_RECOVER);
  const KeyPair key = t.ring.key(KeyKind::rsa, CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER);
  const Bytes data = sample_data(10);
  p11::Mechanism rsa(CKM_RSA_PKCS);
  Bytes signature;
  try_output(
      t.context, "C_SignRecover", [&] { return t.module->C_SignRecoverInit(t.s, rsa, key.decryptor); },
      [&](CK_BYTE* o, CK_ULONG* n) {
        const CK_RV rv = t.module->C_SignRecover(t.s, p11::in(data), data.size(), o, n);
        if (rv == CKR_OK && o != nullptr) signature.assign(o, o + *n);
        return rv;
      });
  try_output(
      t.context, "C_VerifyRecover", [&] { return t.module->C_VerifyRecoverInit(t.s, rsa, key.encryptor); },
      [&](CK_BYTE* o, CK_ULONG* n) {
        return t.module->C_VerifyRecover(t.s, p11::in(signature), signature.size(), o, n);
      });
}

/// C_WrapKey has no operation to keep alive, only lengths to say.
void wrapping(const Stage& t) {
  const CK_MECHANISM_TYPE type = CKM_AES_KEY_WRAP;
  need(t.context, type, CKF_WRAP);
  const KeyPair key = t.ring.key(KeyKind::aes, CKF_WRAP | CKF_UNWRAP);
  const KeyPair target = t.ring.key(KeyKind::aes, CKF_ENCRYPT | CKF_DECRYPT, 16);
  p11::Mechanism wrap(type);
  CK_ULONG size = 0;
  t.context.require_ok("C_WrapKey for the length",
                       t.module->C_WrapKey(t.s, wrap, key.encryptor, target.encryptor, nullptr, &size));
  t.context.expect(size == 24, "C_WrapKey announces " + std::to_string(size) + " bytes instead of 24");
  CK_BYTE room[24];
  size = 23;
  t.context.expect_rv("C_WrapKey with a byte too little",
                      t.module->C_WrapKey(t.s, wrap, key.encryptor, target.encryptor, room, &size),
                      {CKR_BUFFER_TOO_SMALL});
  t.context.expect(size == 24, "C_WrapKey leaves the length unset");
}

void lists(const Stage& t) {
  const CK_SLOT_ID slot = t.context.slot();
  CK_ULONG count = 0;
  t.context.require_ok("C_GetMechanismList for the length", t.module->C_GetMechanismList(slot, nullptr, &count));
  CK_ULONG less = count - 1;
  std::vector<CK_MECHANISM_TYPE> room(count);
  t.context.expect_rv("C_GetMechanismList with an entry too little",
                      t.module->C_GetMechanismList(slot, room.data(), &less), {CKR_BUFFER_TOO_SMALL});
  t.context.expect(less == count, "C_GetMechanismList leaves the length unset");
  t.context.require_ok("C_GetSlotList for the length", t.module->C_GetSlotList(CK_TRUE, nullptr, &count));
  less = 0;
  CK_SLOT_ID one = 0;
  t.context.expect_rv("C_GetSlotList with no room", t.module->C_GetSlotList(CK_TRUE, &one, &less),
                      {CKR_BUFFER_TOO_SMALL});
  t.context.expect(less == count, "C_GetSlotList leaves the length unset");
}

void operation_state(const Stage& t) {
  need(t.context, CKM_SHA256, CKF_DIGEST);
  p11::Mechanism sha(CKM_SHA256);
  Bytes data = sample_data(10);
  t.context.require_ok("C_DigestInit", t.module->C_DigestInit(t.s, sha));
  t.context.require_ok("C_DigestUpdate", t.module->C_DigestUpdate(t.s, data.data(), data.size()));
  CK_ULONG size = 0;
  const CK_RV rv = t.module->C_GetOperationState(t.s, nullptr, &size);
  if (rv == CKR_FUNCTION_NOT_SUPPORTED || rv == CKR_STATE_UNSAVEABLE) t.context.skip("the module saves no state");
  t.context.require_ok("C_GetOperationState for the length", rv);
  Bytes room(size);
  CK_ULONG less = size - 1;
  t.context.expect_rv("C_GetOperationState with a byte too little",
                      t.module->C_GetOperationState(t.s, room.data(), &less), {CKR_BUFFER_TOO_SMALL});
  t.context.expect(less == size, "C_GetOperationState leaves the length unset");
}

}  // namespace

void check_buffers(Context& context) {
  const auto step = [&](const std::string& name, const StageBody& body) { stage_step(context, name, body); };
  step("one_part", one_part);
  step("encrypt_final", encrypt_final);
  step("encrypt_update", encrypt_update);
  step("digest", digests);
  step("hmac", [](const Stage& t) { signatures(t, KeyKind::generic, CKM_SHA256_HMAC); });
  step("rsa", [](const Stage& t) { signatures(t, KeyKind::rsa, CKM_SHA256_RSA_PKCS); });
  step("ecdsa", [](const Stage& t) { signatures(t, KeyKind::ec, CKM_ECDSA_SHA256); });
  step("recovery", recovery);
  step("wrap", wrapping);
  step("lists", lists);
  step("operation_state", operation_state);
}

}  // namespace cardea::conformance
