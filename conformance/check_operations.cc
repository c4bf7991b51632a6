// Operations: exclusivity, cancelling, dual functions, saved state, codes without an operation (PKCS#11 3.2, 5.6
// to 5.16).
#include "conformance/stage.h"

namespace cardea::conformance {
namespace {

using p11::Bytes;

void exclusivity(const Stage& t) {
  p11::Mechanism sha(CKM_SHA256), hmac(CKM_SHA256_HMAC);
  const KeyPair key = t.ring.key(KeyKind::generic, CKF_SIGN | CKF_VERIFY);
  t.context.require_ok("C_DigestInit", t.module->C_DigestInit(t.s, sha));
  t.context.expect_rv("a second C_DigestInit", t.module->C_DigestInit(t.s, sha), {CKR_OPERATION_ACTIVE});
  t.context.require_ok("C_SignInit beside a digest", t.module->C_SignInit(t.s, hmac, key.decryptor));
  t.context.expect_rv("a second C_SignInit", t.module->C_SignInit(t.s, hmac, key.decryptor), {CKR_OPERATION_ACTIVE});
  Bytes data = sample_data(3), room(64);
  t.context.require_ok("C_DigestUpdate", t.module->C_DigestUpdate(t.s, data.data(), data.size()));
  CK_ULONG size = room.size();
  t.context.require_ok("C_DigestFinal", t.module->C_DigestFinal(t.s, room.data(), &size));
  size = room.size();
  t.context.require_ok("C_Sign", t.module->C_Sign(t.s, data.data(), data.size(), room.data(), &size));
}

/// Once parts were given, the one-part call is a mistake that ends the operation (PKCS#11 3.2, 5.12).
void mixed_parts(const Stage& t) {
  p11::Mechanism sha(CKM_SHA256);
  Bytes data = sample_data(3), room(64);
  t.context.require_ok("C_DigestInit", t.module->C_DigestInit(t.s, sha));
  t.context.require_ok("C_DigestUpdate", t.module->C_DigestUpdate(t.s, data.data(), data.size()));
  CK_ULONG size = room.size();
  t.context.expect(t.module->C_Digest(t.s, data.data(), data.size(), room.data(), &size) != CKR_OK,
                   "C_Digest works after C_DigestUpdate");
}

void no_operation(const Stage& t) {
  Bytes data = sample_data(16), room(64);
  CK_ULONG size = room.size();
  const auto none = [&](const char* call, CK_RV rv) { t.context.expect_rv(call, rv, {CKR_OPERATION_NOT_INITIALIZED}); };
  none("C_Encrypt", t.module->C_Encrypt(t.s, data.data(), 16, room.data(), &size));
  none("C_EncryptUpdate", t.module->C_EncryptUpdate(t.s, data.data(), 16, room.data(), &size));
  none("C_EncryptFinal", t.module->C_EncryptFinal(t.s, room.data(), &size));
  none("C_Decrypt", t.module->C_Decrypt(t.s, data.data(), 16, room.data(), &size));
  none("C_DecryptUpdate", t.module->C_DecryptUpdate(t.s, data.data(), 16, room.data(), &size));
  none("C_DecryptFinal", t.module->C_DecryptFinal(t.s, room.data(), &size));
  none("C_Digest", t.module->C_Digest(t.s, data.data(), 16, room.data(), &size));
  none("C_DigestUpdate", t.module->C_DigestUpdate(t.s, data.data(), 16));
  none("C_DigestFinal", t.module->C_DigestFinal(t.s, room.data(), &size));
  none("C_Sign", t.module->C_Sign(t.s, data.data(), 16, room.data(), &size));
  none("C_SignUpdate", t.module->C_SignUpdate(t.s, data.data(), 16));
  none("C_SignFinal", t.module->C_SignFinal(t.s, room.data(), &size));
  none("C_Verify", t.module->C_Verify(t.s, data.data(), 16, room.data(), size));
  none("C_VerifyUpdate", t.module->C_VerifyUpdate(t.s, data.data(), 16));
  none("C_VerifyFinal", t.module->C_VerifyFinal(t.s, room.data(), size));
}

void cancel(const Stage& t) {
  if (t.module.version() < 0x0300) t.context.skip("a module of version 2");
  p11::Mechanism sha(CKM_SHA256);
  Bytes data = sample_data(3), room(64);
  CK_ULONG size = room.size();
  t.context.require_ok("C_DigestInit", t.module->C_DigestInit(t.s, sha));
  t.context.require_ok("C_SessionCancel", t.module->C_SessionCancel(t.s, CKF_DIGEST));
  t.context.expect_rv("C_Digest after it", t.module->C_Digest(t.s, data.data(), 3, room.data(), &size),
                      {CKR_OPERATION_NOT_INITIALIZED});
  t.context.require_ok("C_FindObjectsInit", t.module->C_FindObjectsInit(t.s, nullptr, 0));
  t.context.require_ok("C_SessionCancel of a search", t.module->C_SessionCancel(t.s, CKF_FIND_OBJECTS));
  CK_ULONG count = 0;
  CK_OBJECT_HANDLE object = 0;
  t.context.expect_rv("C_FindObjects after it", t.module->C_FindObjects(t.s, &object, 1, &count),
                      {CKR_OPERATION_NOT_INITIALIZED});
  // 3.0 lets a null mechanism cancel what is under way, and it is no error when nothing is.
  t.context.require_ok("C_DigestInit", t.module->C_DigestInit(t.s, sha));
  t.context.require_ok("C_DigestInit without a mechanism", t.module->C_DigestInit(t.s, nullptr));
  t.context.require_ok("C_DigestInit after it", t.module->C_DigestInit(t.s, sha));
  t.context.require_ok("C_SessionCancel", t.module->C_SessionCancel(t.s, CKF_DIGEST));
}

void digest_and_encrypt(const Stage& t) {
  CK_TOKEN_INFO info{};
  t.context.require_ok("C_GetTokenInfo", t.module->C_GetTokenInfo(t.context.slot(), &info));
  if ((info.flags & CKF_DUAL_CRYPTO_OPERATIONS) == 0) t.context.skip("the token has no dual operations");
  const KeyPair key = t.ring.key(KeyKind::aes, CKF_ENCRYPT | CKF_DECRYPT);
  p11::Mechanism cbc(CKM_AES_CBC, sample_data(16)), sha(CKM_SHA256);
  Bytes data = sample_data(32), secret(64), digest(32), plain(64);
  CK_ULONG size = secret.size(), rest = 0;
  t.context.require_ok("C_DigestInit", t.module->C_DigestInit(t.s, sha));
  t.context.require_ok("C_EncryptInit", t.module->C_EncryptInit(t.s, cbc, key.encryptor));
  t.context.require_ok("C_DigestEncryptUpdate",
                       t.module->C_DigestEncryptUpdate(t.s, data.data(), data.size(), secret.data(), &size));
  rest = secret.size() - size;
  t.context.require_ok("C_EncryptFinal", t.module->C_EncryptFinal(t.s, secret.data() + size, &rest));
  secret.resize(size + rest);
  CK_ULONG digest_size = digest.size();
  t.context.require_ok("C_DigestFinal", t.module->C_DigestFinal(t.s, digest.data(), &digest_size));
  t.context.expect(digest == t.ring.session().digest(sha, data).bytes, "the digest is not that of the plaintext");
  t.context.require_ok("C_DigestInit", t.module->C_DigestInit(t.s, sha));
  t.context.require_ok("C_DecryptInit", t.module->C_DecryptInit(t.s, cbc, key.decryptor));
  size = plain.size();
  t.context.require_ok("C_DecryptDigestUpdate",
                       t.module->C_DecryptDigestUpdate(t.s, secret.data(), secret.size(), plain.data(), &size));
  rest = plain.size() - size;
  t.context.require_ok("C_DecryptFinal", t.module->C_DecryptFinal(t.s, plain.data() + size, &rest));
  plain.resize(size + rest);
  t.context.expect(plain == data, "the plaintext is another");
  Bytes again(32);
  digest_size = again.size();
  t.context.require_ok("C_DigestFinal", t.module->C_DigestFinal(t.s, again.data(), &digest_size));
  t.context.expect(again == digest, "the digest of what was decrypted is another");
}

void sign_and_encrypt(const Stage& t) {
  CK_TOKEN_INFO info{};
  t.context.require_ok("C_GetTokenInfo", t.module->C_GetTokenInfo(t.context.slot(), &info));
  if ((info.flags & CKF_DUAL_CRYPTO_OPERATIONS) == 0) t.context.skip("the token has no dual operations");
  const KeyPair key = t.ring.key(KeyKind::aes, CKF_ENCRYPT | CKF_DECRYPT);
  const KeyPair mac = t.ring.key(KeyKind::generic, CKF_SIGN | CKF_VERIFY);
  p11::Mechanism cbc(CKM_AES_CBC, sample_data(16)), hmac(CKM_SHA256_HMAC);
  Bytes data = sample_data(32), secret(64), plain(64);
  CK_ULONG size = secret.size();
  t.context.require_ok("C_SignInit", t.module->C_SignInit(t.s, hmac, mac.decryptor));
  t.context.require_ok("C_EncryptInit", t.module->C_EncryptInit(t.s, cbc, key.encryptor));
  t.context.require_ok("C_SignEncryptUpdate",
                       t.module->C_SignEncryptUpdate(t.s, data.data(), data.size(), secret.data(), &size));
  CK_ULONG rest = secret.size() - size;
  t.context.require_ok("C_EncryptFinal", t.module->C_EncryptFinal(t.s, secret.data() + size, &rest));
  secret.resize(size + rest);
  const auto signature = p11::fetch([&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_SignFinal(t.s, o, n); });
  t.context.require_ok("C_SignFinal", signature.rv);
  t.context.require_ok("C_VerifyInit", t.module->C_VerifyInit(t.s, hmac, mac.encryptor));
  t.context.require_ok("C_DecryptInit", t.module->C_DecryptInit(t.s, cbc, key.decryptor));
  size = plain.size();
  t.context.require_ok("C_DecryptVerifyUpdate",
                       t.module->C_DecryptVerifyUpdate(t.s, secret.data(), secret.size(), plain.data(), &size));
  rest = plain.size() - size;
  t.context.require_ok("C_DecryptFinal", t.module->C_DecryptFinal(t.s, plain.data() + size, &rest));
  t.context.require_ok("C_VerifyFinal", t.module->C_VerifyFinal(t.s, p11::in(signature.bytes), signature.bytes.size()));
}

void digest_key(const Stage& t) {
  const KeyPair key = t.ring.key(KeyKind::generic, CKF_SIGN | CKF_VERIFY);
  const Bytes value = t.ring.session().get(key.decryptor, CKA_VALUE).bytes;
  p11::Mechanism sha(CKM_SHA256);
  t.context.require_ok("C_DigestInit", t.module->C_DigestInit(t.s, sha));
  const CK_RV rv = t.module->C_DigestKey(t.s, key.decryptor);
  if (rv == CKR_FUNCTION_NOT_SUPPORTED || rv == CKR_KEY_INDIGESTIBLE) t.context.skip("the module digests no keys");
  t.context.require_ok("C_DigestKey", rv);
  const auto digest = p11::fetch([&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_DigestFinal(t.s, o, n); });
  t.context.expect(digest.bytes == t.ring.session().digest(sha, value).bytes,
                   "the digest is not that of the key's value");
}

void saved_state(const Stage& t) {
  p11::Mechanism sha(CKM_SHA256);
  Bytes first = sample_data(70), second = sample_data(9);
  t.context.require_ok("C_DigestInit", t.module->C_DigestInit(t.s, sha));
  t.context.require_ok("C_DigestUpdate", t.module->C_DigestUpdate(t.s, first.data(), first.size()));
  const auto state = p11::fetch([&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_GetOperationState(t.s, o, n); });
  if (state.rv == CKR_FUNCTION_NOT_SUPPORTED || state.rv == CKR_STATE_UNSAVEABLE) t.context.skip("no state is saved");
  t.context.require_ok("C_GetOperationState", state.rv);
  const auto finish = [&](CK_SESSION_HANDLE session) {
    t.module->C_DigestUpdate(session, second.data(), second.size());
    return p11::fetch([&](CK_BYTE* o, CK_ULONG* n) { return t.module->C_DigestFinal(session, o, n); }).bytes;
  };
  const Bytes straight = finish(t.s);
  const auto other = t.context.session();
  t.context.require_ok("C_SetOperationState in another session",
                       t.module->C_SetOperationState(*other, p11::in(state.bytes), state.bytes.size(), 0, 0));
  t.context.expect(finish(*other) == straight, "the restored digest ends otherwise");
  Bytes broken = state.bytes;
  broken[broken.size() / 2] ^= 0x40;
  broken.pop_back();
  t.context.expect(t.module->C_SetOperationState(*other, broken.data(), broken.size(), 0, 0) != CKR_OK,
                   "a damaged state is taken");
}

void random_numbers(const Stage& t) {
  Bytes a(32), b(32);
  t.context.require_ok("C_GenerateRandom", t.module->C_GenerateRandom(t.s, a.data(), a.size()));
  t.context.require_ok("C_GenerateRandom", t.module->C_GenerateRandom(t.s, b.data(), b.size()));
  t.context.expect(a != b, "two random strings are equal");
  t.context.expect_rv("C_SeedRandom", t.module->C_SeedRandom(t.s, a.data(), a.size()),
                      {CKR_OK, CKR_RANDOM_SEED_NOT_SUPPORTED});
  t.context.expect_rv("C_GetFunctionStatus", t.module->C_GetFunctionStatus(t.s),
                      {CKR_FUNCTION_NOT_PARALLEL, CKR_FUNCTION_NOT_SUPPORTED});
  t.context.expect_rv("C_CancelFunction", t.module->C_CancelFunction(t.s),
                      {CKR_FUNCTION_NOT_PARALLEL, CKR_FUNCTION_NOT_SUPPORTED});
}

}  // namespace

void check_operations(Context& context) {
  const auto step = [&](const std::string& name, const StageBody& body) { stage_step(context, name, body); };
  step("exclusivity", exclusivity);
  step("mixed_parts", mixed_parts);
  step("no_operation", no_operation);
  step("cancel", cancel);
  step("digest_and_encrypt", digest_and_encrypt);
  step("sign_and_encrypt", sign_and_encrypt);
  step("digest_key", digest_key);
  step("saved_state", saved_state);
  step("random", random_numbers);
}

}  // namespace cardea::conformance
