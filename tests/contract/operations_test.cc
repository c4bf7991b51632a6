// Operations: parts against the whole, two at a time, saved (PKCS#11 3.2, 5.6 and 5.8 to 5.16).
#include <algorithm>

#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

constexpr std::size_t chunks[] = {1, 7, 16, 33, 200};
constexpr std::size_t data_size = 176;  // whole blocks, so that modes without padding take it

struct Operations : UserFixture {
  /// Feeds `data` in pieces of `chunk` bytes and then asks for the end; what came out, or the first code that is no OK.
  template <typename Update, typename Final>
  static Output in_parts(const Bytes& data, std::size_t chunk, Update update, Final finish) {
    Output out{CKR_OK, {}};
    Bytes room(data.size() + 256);
    const auto take = [&](CK_RV rv, CK_ULONG size) {
      out.rv = rv;
      if (rv == CKR_OK) out.bytes.insert(out.bytes.end(), room.begin(), room.begin() + static_cast<long>(size));
      return rv == CKR_OK;
    };
    for (std::size_t at = 0; at < data.size(); at += chunk) {
      CK_ULONG size = room.size();
      const CK_RV rv = update(in(data) + at, std::min(chunk, data.size() - at), room.data(), &size);
      if (!take(rv, size)) return out;
    }
    CK_ULONG size = room.size();
    const CK_RV rv = finish(room.data(), &size);
    take(rv, size);
    return out;
  }
  Output encrypt_parts(Mechanism mechanism, CK_OBJECT_HANDLE key, const Bytes& data, std::size_t chunk) const {
    if (const CK_RV rv = module->C_EncryptInit(s, mechanism, key); rv != CKR_OK) return {rv, {}};
    return in_parts(
        data, chunk,
        [&](CK_BYTE* part, CK_ULONG size, CK_BYTE* out, CK_ULONG* room) {
          return module->C_EncryptUpdate(s, part, size, out, room);
        },
        [&](CK_BYTE* out, CK_ULONG* room) { return module->C_EncryptFinal(s, out, room); });
  }
  Output decrypt_parts(Mechanism mechanism, CK_OBJECT_HANDLE key, const Bytes& data, std::size_t chunk) const {
    if (const CK_RV rv = module->C_DecryptInit(s, mechanism, key); rv != CKR_OK) return {rv, {}};
    return in_parts(
        data, chunk,
        [&](CK_BYTE* part, CK_ULONG size, CK_BYTE* out, CK_ULONG* room) {
          return module->C_DecryptUpdate(s, part, size, out, room);
        },
        [&](CK_BYTE* out, CK_ULONG* room) { return module->C_DecryptFinal(s, out, room); });
  }
  /// Digest, signature and verification take parts without an output of their own.
  template <typename Update>
  static CK_RV feed(const Bytes& data, std::size_t chunk, Update update) {
    for (std::size_t at = 0; at < data.size(); at += chunk) {
      const CK_RV rv = update(in(data) + at, std::min(chunk, data.size() - at));
      if (rv != CKR_OK) return rv;
    }
    return CKR_OK;
  }
  Output sign_parts(Mechanism mechanism, CK_OBJECT_HANDLE key, const Bytes& data, std::size_t chunk) const {
    if (const CK_RV rv = module->C_SignInit(s, mechanism, key); rv != CKR_OK) return {rv, {}};
    const CK_RV fed =
        feed(data, chunk, [&](CK_BYTE* part, CK_ULONG size) { return module->C_SignUpdate(s, part, size); });
    if (fed != CKR_OK) return {fed, {}};
    return fetch([&](CK_BYTE* out, CK_ULONG* size) { return module->C_SignFinal(s, out, size); });
  }
  CK_RV verify_parts(Mechanism mechanism, CK_OBJECT_HANDLE key, const Bytes& data, std::size_t chunk,
                     const Bytes& signature) const {
    if (const CK_RV rv = module->C_VerifyInit(s, mechanism, key); rv != CKR_OK) return rv;
    const CK_RV fed =
        feed(data, chunk, [&](CK_BYTE* part, CK_ULONG size) { return module->C_VerifyUpdate(s, part, size); });
    return fed != CKR_OK ? fed : module->C_VerifyFinal(s, in(signature), length(signature));
  }
  CK_RV verify_given_parts(Mechanism mechanism, CK_OBJECT_HANDLE key, const Bytes& data, std::size_t chunk,
                           const Bytes& signature) const {
    const CK_RV begun = module->C_VerifySignatureInit(s, mechanism, key, in(signature), length(signature));
    if (begun != CKR_OK) return begun;
    const CK_RV fed =
        feed(data, chunk, [&](CK_BYTE* part, CK_ULONG size) { return module->C_VerifySignatureUpdate(s, part, size); });
    return fed != CKR_OK ? fed : module->C_VerifySignatureFinal(s);
  }
  Output digest_rest(CK_SESSION_HANDLE session, const Bytes& rest) const {
    if (const CK_RV rv = module->C_DigestUpdate(session, in(rest), length(rest)); rv != CKR_OK) return {rv, {}};
    return fetch([&](CK_BYTE* out, CK_ULONG* size) { return module->C_DigestFinal(session, out, size); });
  }
  Output save() const {
    return fetch([&](CK_BYTE* out, CK_ULONG* size) { return module->C_GetOperationState(s, out, size); });
  }

  void expect_parts_encrypt(const Mechanism& mechanism, CK_OBJECT_HANDLE key) const {
    if (!has(mechanism.type(), CKF_ENCRYPT | CKF_DECRYPT)) return;
    const Bytes data = counted(data_size);
    const Output whole = s.encrypt(mechanism, key, data);
    BOOST_TEST_CONTEXT(cardea::constant_text(cardea::ConstantKind::CKM, mechanism.type())) {
      CONTRACT_RV(whole.rv, CKR_OK);
      for (const std::size_t chunk : chunks) {
        BOOST_TEST(encrypt_parts(mechanism, key, data, chunk).bytes == whole.bytes, "encrypted by " << chunk);
        BOOST_TEST(decrypt_parts(mechanism, key, whole.bytes, chunk).bytes == data, "decrypted by " << chunk);
      }
    }
  }
  /// `repeats`: the same data have the same signature.
  void expect_parts_sign(const Mechanism& mechanism, CK_OBJECT_HANDLE signer, CK_OBJECT_HANDLE verifier,
                         bool repeats) const {
    if (!has(mechanism.type(), CKF_SIGN | CKF_VERIFY)) return;
    const Bytes data = counted(data_size);
    const Output whole = s.sign(mechanism, signer, data);
    BOOST_TEST_CONTEXT(cardea::constant_text(cardea::ConstantKind::CKM, mechanism.type())) {
      CONTRACT_RV(whole.rv, CKR_OK);
      Bytes wrong = whole.bytes;
      if (!wrong.empty()) wrong.back() ^= 1;
      for (const std::size_t chunk : chunks) {
        const Output parts = sign_parts(mechanism, signer, data, chunk);
        CONTRACT_RV(parts.rv, CKR_OK);
        if (repeats) BOOST_TEST(parts.bytes == whole.bytes);
        CONTRACT_RV(s.verify(mechanism, verifier, data, parts.bytes), CKR_OK);
        CONTRACT_RV(verify_parts(mechanism, verifier, data, chunk, whole.bytes), CKR_OK);
        CONTRACT_RV(verify_given_parts(mechanism, verifier, data, chunk, whole.bytes), CKR_OK);
        CONTRACT_RV(verify_parts(mechanism, verifier, data, chunk, wrong), CKR_SIGNATURE_INVALID);
        CONTRACT_RV(verify_given_parts(mechanism, verifier, data, chunk, wrong), CKR_SIGNATURE_INVALID);
      }
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(parts, Operations)

BOOST_AUTO_TEST_CASE(ciphers) {
  const CK_OBJECT_HANDLE aes = created(aes_template({CKA_ENCRYPT, CKA_DECRYPT}));
  Bytes iv = counted(16), aad = counted(13), counter(4);
  CK_AES_CTR_PARAMS ctr{128, {}};
  std::copy(iv.begin(), iv.end(), ctr.cb);
  for (const CK_MECHANISM_TYPE type : {CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CTS, CKM_AES_OFB, CKM_AES_CFB8,
                                       CKM_AES_CFB64, CKM_AES_CFB128, CKM_AES_CFB1}) {
    expect_parts_encrypt(Mechanism(type, iv), aes);
  }
  expect_parts_encrypt(Mechanism(CKM_AES_ECB), aes);
  expect_parts_encrypt(Mechanism(CKM_AES_CTR, ctr), aes);
  expect_parts_encrypt(Mechanism(CKM_AES_GCM, CK_GCM_PARAMS{iv.data(), 12, 96, aad.data(), 13, 128}), aes);
  expect_parts_encrypt(Mechanism(CKM_AES_CCM, CK_CCM_PARAMS{data_size, iv.data(), 12, aad.data(), 13, 16}), aes);
  const CK_OBJECT_HANDLE xts = created(object_template(CKO_SECRET_KEY)
                                           .ulong(CKA_KEY_TYPE, CKK_AES_XTS)
                                           .bytes(CKA_VALUE, counted(64))
                                           .boolean(CKA_ENCRYPT, true));
  expect_parts_encrypt(Mechanism(CKM_AES_XTS, iv), xts);
  const CK_OBJECT_HANDLE chacha = created(object_template(CKO_SECRET_KEY)
                                              .ulong(CKA_KEY_TYPE, CKK_CHACHA20)
                                              .bytes(CKA_VALUE, counted(32))
                                              .boolean(CKA_ENCRYPT, true));
  expect_parts_encrypt(Mechanism(CKM_CHACHA20, CK_CHACHA20_PARAMS{counter.data(), 32, iv.data(), 96}), chacha);
  expect_parts_encrypt(
      Mechanism(CKM_CHACHA20_POLY1305, CK_SALSA20_CHACHA20_POLY1305_PARAMS{iv.data(), 12, aad.data(), 13}), chacha);
}

BOOST_AUTO_TEST_CASE(damaged_ciphertexts_give_no_plaintext) {
  const CK_OBJECT_HANDLE aes = created(aes_template({CKA_ENCRYPT, CKA_DECRYPT}));
  Bytes iv = counted(16), aad = counted(13);
  for (const Mechanism& mechanism :
       {Mechanism(CKM_AES_GCM, CK_GCM_PARAMS{iv.data(), 12, 96, aad.data(), 13, 128}),
        Mechanism(CKM_AES_CCM, CK_CCM_PARAMS{data_size, iv.data(), 12, aad.data(), 13, 16})}) {
    Bytes secret = s.encrypt(mechanism, aes, counted(data_size)).bytes;
    secret[secret.size() / 2] ^= 1;
    const Output whole = s.decrypt(mechanism, aes, secret);
    CONTRACT_RV(whole.rv, CKR_AEAD_DECRYPT_FAILED);
    const Output parts = decrypt_parts(mechanism, aes, secret, 33);
    CONTRACT_RV(parts.rv, CKR_AEAD_DECRYPT_FAILED);
    BOOST_TEST(parts.bytes.empty());
    secret.resize(8);
    BOOST_TEST(s.decrypt(mechanism, aes, secret).rv != CKR_OK);
  }
}

BOOST_AUTO_TEST_CASE(digests) {
  for (const CK_MECHANISM_TYPE type : module.mechanisms(slot)) {
    if (!has(type, CKF_DIGEST)) continue;
    const Bytes data = counted(data_size);
    const Output whole = s.digest(Mechanism(type), data);
    CONTRACT_RV(whole.rv, CKR_OK);
    for (const std::size_t chunk : chunks) {
      CONTRACT_OK(module->C_DigestInit(s, Mechanism(type)));
      CONTRACT_RV(
          feed(data, chunk, [&](CK_BYTE* part, CK_ULONG size) { return module->C_DigestUpdate(s, part, size); }),
          CKR_OK);
      BOOST_TEST(fetch([&](CK_BYTE* out, CK_ULONG* size) { return module->C_DigestFinal(s, out, size); }).bytes ==
                 whole.bytes);
    }
  }
}

BOOST_AUTO_TEST_CASE(macs) {
  const CK_OBJECT_HANDLE generic = created(generic_template(counted(32), {CKA_SIGN, CKA_VERIFY}));
  for (const CK_MECHANISM_TYPE type :
       {CKM_SHA_1_HMAC, CKM_SHA224_HMAC, CKM_SHA256_HMAC, CKM_SHA384_HMAC, CKM_SHA512_HMAC, CKM_SHA512_224_HMAC,
        CKM_SHA512_256_HMAC, CKM_SHA3_224_HMAC, CKM_SHA3_256_HMAC, CKM_SHA3_384_HMAC, CKM_SHA3_512_HMAC}) {
    expect_parts_sign(Mechanism(type), generic, generic, true);
  }
  expect_parts_sign(Mechanism(CKM_SHA256_HMAC_GENERAL, CK_MAC_GENERAL_PARAMS{11}), generic, generic, true);
  const CK_OBJECT_HANDLE aes = created(aes_template({CKA_SIGN, CKA_VERIFY}));
  Bytes iv = counted(12);
  expect_parts_sign(Mechanism(CKM_AES_CMAC), aes, aes, true);
  expect_parts_sign(Mechanism(CKM_AES_CMAC_GENERAL, CK_MAC_GENERAL_PARAMS{5}), aes, aes, true);
  expect_parts_sign(Mechanism(CKM_AES_GMAC, CK_GCM_PARAMS{iv.data(), 12, 96, nullptr, 0, 128}), aes, aes, true);
}

BOOST_AUTO_TEST_CASE(signatures) {
  const Pair rsa_pair = rsa({CKA_VERIFY}, {CKA_SIGN});
  for (const CK_MECHANISM_TYPE type : {CKM_SHA1_RSA_PKCS, CKM_SHA256_RSA_PKCS, CKM_SHA3_384_RSA_PKCS}) {
    expect_parts_sign(Mechanism(type), rsa_pair.private_key, rsa_pair.public_key, true);
  }
  const CK_RSA_PKCS_PSS_PARAMS pss{CKM_SHA384, CKG_MGF1_SHA384, 48};
  expect_parts_sign(Mechanism(CKM_SHA384_RSA_PKCS_PSS, pss), rsa_pair.private_key, rsa_pair.public_key, false);
  const Pair ec_pair = ec(CKM_EC_KEY_PAIR_GEN, p256(), {CKA_VERIFY}, {CKA_SIGN});
  for (const CK_MECHANISM_TYPE type : {CKM_ECDSA_SHA1, CKM_ECDSA_SHA256, CKM_ECDSA_SHA3_512}) {
    expect_parts_sign(Mechanism(type), ec_pair.private_key, ec_pair.public_key, false);
  }
  const Pair ed_pair = ec(CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519(), {CKA_VERIFY}, {CKA_SIGN});
  expect_parts_sign(Mechanism(CKM_EDDSA), ed_pair.private_key, ed_pair.public_key, true);
  if (!has(CKM_ML_DSA, CKF_SIGN)) return;
  const Pair pq = pair(CKM_ML_DSA_KEY_PAIR_GEN, Template().ulong(CKA_PARAMETER_SET, CKP_ML_DSA_44), Template());
  expect_parts_sign(Mechanism(CKM_ML_DSA), pq.private_key, pq.public_key, false);
}

BOOST_AUTO_TEST_CASE(two_operations_at_once) {
  const CK_OBJECT_HANDLE aes = created(aes_template({CKA_ENCRYPT, CKA_DECRYPT}));
  const CK_OBJECT_HANDLE mac = created(generic_template(counted(32), {CKA_SIGN, CKA_VERIFY}));
  const Bytes data = counted(data_size);
  const Mechanism cbc(CKM_AES_CBC_PAD, counted(16)), sha(CKM_SHA256), hmac(CKM_SHA256_HMAC);
  const Bytes secret = s.encrypt(cbc, aes, data).bytes, digest = s.digest(sha, data).bytes;
  const Bytes tag = s.sign(hmac, mac, data).bytes;
  for (const std::size_t chunk : chunks) {
    const auto with = [&](auto function, auto finish, const Bytes& input) {
      return in_parts(
          input, chunk,
          [&](CK_BYTE* part, CK_ULONG size, CK_BYTE* out, CK_ULONG* room) {
            return function(s, part, size, out, room);
          },
          [&](CK_BYTE* out, CK_ULONG* room) { return finish(s, out, room); });
    };
    CONTRACT_OK(module->C_DigestInit(s, Mechanism(sha)));
    CONTRACT_OK(module->C_EncryptInit(s, Mechanism(cbc), aes));
    BOOST_TEST(with(module->C_DigestEncryptUpdate, module->C_EncryptFinal, data).bytes == secret);
    BOOST_TEST(digest_rest(s, {}).bytes == digest);
    CONTRACT_OK(module->C_DigestInit(s, Mechanism(sha)));
    CONTRACT_OK(module->C_DecryptInit(s, Mechanism(cbc), aes));
    // The last block of padding is decrypted by C_DecryptFinal, past the digest, as 5.16 describes.
    const Output opened = with(module->C_DecryptDigestUpdate, module->C_DecryptFinal, secret);
    BOOST_TEST(opened.bytes == data);
    BOOST_TEST(digest_rest(s, {}).bytes == digest);
    CONTRACT_OK(module->C_SignInit(s, Mechanism(hmac), mac));
    CONTRACT_OK(module->C_EncryptInit(s, Mechanism(cbc), aes));
    BOOST_TEST(with(module->C_SignEncryptUpdate, module->C_EncryptFinal, data).bytes == secret);
    BOOST_TEST(fetch([&](CK_BYTE* out, CK_ULONG* size) { return module->C_SignFinal(s, out, size); }).bytes == tag);
    CONTRACT_OK(module->C_VerifyInit(s, Mechanism(hmac), mac));
    CONTRACT_OK(module->C_DecryptInit(s, Mechanism(cbc), aes));
    BOOST_TEST(with(module->C_DecryptVerifyUpdate, module->C_DecryptFinal, secret).bytes == data);
    CONTRACT_RV(module->C_VerifyFinal(s, in(tag), length(tag)), CKR_OK);
  }
}

BOOST_AUTO_TEST_CASE(two_operations_need_both) {
  const CK_OBJECT_HANDLE aes = created(aes_template({CKA_ENCRYPT}));
  CK_BYTE data[16] = {}, room[64];
  CK_ULONG size = sizeof(room);
  CONTRACT_RV(module->C_DigestEncryptUpdate(s, data, 16, room, &size), CKR_OPERATION_NOT_INITIALIZED);
  CONTRACT_OK(module->C_EncryptInit(s, Mechanism(CKM_AES_ECB), aes));
  CONTRACT_RV(module->C_DigestEncryptUpdate(s, data, 16, room, &size), CKR_OPERATION_NOT_INITIALIZED);
}

BOOST_AUTO_TEST_CASE(signatures_that_hold_their_message) {
  const Pair both = rsa({CKA_VERIFY_RECOVER}, {CKA_SIGN_RECOVER});
  for (const CK_MECHANISM_TYPE type : {CKM_RSA_PKCS, CKM_RSA_X_509}) {
    if (!has(type, CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER)) continue;
    const Bytes data = counted(type == CKM_RSA_X_509 ? 256 : 40);
    CONTRACT_OK(module->C_SignRecoverInit(s, Mechanism(type), both.private_key));
    const Output signature = fetch(
        [&](CK_BYTE* out, CK_ULONG* size) { return module->C_SignRecover(s, in(data), length(data), out, size); });
    CONTRACT_RV(signature.rv, CKR_OK);
    CONTRACT_OK(module->C_VerifyRecoverInit(s, Mechanism(type), both.public_key));
    const Output message = fetch([&](CK_BYTE* out, CK_ULONG* size) {
      return module->C_VerifyRecover(s, in(signature.bytes), length(signature.bytes), out, size);
    });
    CONTRACT_RV(message.rv, CKR_OK);
    BOOST_TEST(message.bytes == data);
    if (type == CKM_RSA_X_509) continue;  // every number below the modulus is a raw signature of something
    Bytes wrong = signature.bytes;
    wrong.back() ^= 1;
    CONTRACT_OK(module->C_VerifyRecoverInit(s, Mechanism(type), both.public_key));
    const Output none = fetch(
        [&](CK_BYTE* out, CK_ULONG* size) { return module->C_VerifyRecover(s, in(wrong), length(wrong), out, size); });
    CONTRACT_RV(none.rv, CKR_SIGNATURE_INVALID);
  }
}

BOOST_AUTO_TEST_CASE(digest_states_go_into_other_sessions) {
  const auto other = open();
  for (const CK_MECHANISM_TYPE type : module.mechanisms(slot)) {
    if (!has(type, CKF_DIGEST)) continue;
    const Bytes whole = s.digest(Mechanism(type), counted(150)).bytes, data = counted(150);
    const Bytes head(data.begin(), data.begin() + 70), tail(data.begin() + 70, data.end());
    CONTRACT_OK(module->C_DigestInit(s, Mechanism(type)));
    CONTRACT_OK(module->C_DigestUpdate(s, in(head), length(head)));
    const Output state = save();
    CONTRACT_RV(state.rv, CKR_OK);
    BOOST_TEST(digest_rest(s, tail).bytes == whole);
    for (int round = 0; round < 2; ++round) {
      CONTRACT_OK(module->C_SetOperationState(*other, in(state.bytes), length(state.bytes), 0, 0));
      BOOST_TEST(digest_rest(*other, tail).bytes == whole);
    }
  }
}

BOOST_AUTO_TEST_CASE(states_that_cannot_be_saved_or_restored) {
  CONTRACT_RV(save().rv, CKR_OPERATION_NOT_INITIALIZED);
  const CK_OBJECT_HANDLE mac = created(generic_template(counted(32), {CKA_SIGN}));
  CONTRACT_OK(module->C_SignInit(s, Mechanism(CKM_SHA256_HMAC), mac));
  CONTRACT_RV(save().rv, CKR_STATE_UNSAVEABLE);
  CONTRACT_OK(module->C_SessionCancel(s, CKF_SIGN));
  CONTRACT_OK(module->C_DigestInit(s, Mechanism(CKM_SHA256)));
  Output state = save();
  CONTRACT_RV(state.rv, CKR_OK);
  CONTRACT_RV(module->C_SetOperationState(s, in(state.bytes), length(state.bytes), mac, 0), CKR_KEY_NOT_NEEDED);
  CK_ULONG short_size = 1;
  CONTRACT_RV(module->C_GetOperationState(s, state.bytes.data(), &short_size), CKR_BUFFER_TOO_SMALL);
  BOOST_TEST(short_size == state.bytes.size());
  state.bytes[0] ^= 1;
  CONTRACT_RV(module->C_SetOperationState(s, in(state.bytes), length(state.bytes), 0, 0), CKR_SAVED_STATE_INVALID);
  CONTRACT_RV(module->C_SetOperationState(s, in(state.bytes), 0, 0, 0), CKR_SAVED_STATE_INVALID);
}

BOOST_AUTO_TEST_SUITE_END()
