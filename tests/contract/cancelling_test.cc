// How operations of each kind end without a result: cancelled, by a null mechanism, with the login, with the session
// (PKCS#11 3.2, 5.6.2, 5.6.5 and 5.6.10).
#include <functional>

#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

/// An operation under way: what begins it, what asks whether it still is, and the flag that cancels it.
struct Kind {
  const char* name;
  CK_FLAGS flag;
  std::function<CK_RV(CK_MECHANISM*)> begin;
  std::function<CK_RV()> go_on;
  Mechanism mechanism;
};

/// Keys that all kinds of operations share.
struct Kinds : UserFixture {
  Kinds() { make_keys(); }

  void make_keys() {
    aes = created(aes_template({CKA_ENCRYPT, CKA_DECRYPT}));
    mac = created(generic_template(counted(32), {CKA_SIGN, CKA_VERIFY}));
    pair = rsa({CKA_VERIFY, CKA_VERIFY_RECOVER}, {CKA_SIGN, CKA_SIGN_RECOVER});
  }

  std::vector<Kind> all() {
    const Mechanism ecb(CKM_AES_ECB), gcm(CKM_AES_GCM), hmac(CKM_SHA256_HMAC), recover(CKM_RSA_PKCS), sha(CKM_SHA256);
    return {
        {"encrypt", CKF_ENCRYPT, [this](auto* m) { return module->C_EncryptInit(s, m, aes); },
         [this] { return module->C_EncryptUpdate(s, data, 16, room, &(size = 512)); }, ecb},
        {"decrypt", CKF_DECRYPT, [this](auto* m) { return module->C_DecryptInit(s, m, aes); },
         [this] { return module->C_DecryptUpdate(s, data, 16, room, &(size = 512)); }, ecb},
        {"digest", CKF_DIGEST, [this](auto* m) { return module->C_DigestInit(s, m); },
         [this] { return module->C_DigestUpdate(s, data, 16); }, sha},
        {"sign", CKF_SIGN, [this](auto* m) { return module->C_SignInit(s, m, mac); },
         [this] { return module->C_SignUpdate(s, data, 16); }, hmac},
        {"verify", CKF_VERIFY, [this](auto* m) { return module->C_VerifyInit(s, m, mac); },
         [this] { return module->C_VerifyUpdate(s, data, 16); }, hmac},
        {"sign recover", CKF_SIGN_RECOVER,
         [this](auto* m) { return module->C_SignRecoverInit(s, m, pair.private_key); },
         [this] { return module->C_SignRecover(s, data, 16, nullptr, &size); }, recover},
        {"verify recover", CKF_VERIFY_RECOVER,
         [this](auto* m) { return module->C_VerifyRecoverInit(s, m, pair.public_key); },
         [this] { return module->C_VerifyRecover(s, data, 256, nullptr, &size); }, recover},
        {"verify signature", CKF_VERIFY, [this](auto* m) { return module->C_VerifySignatureInit(s, m, mac, data, 32); },
         [this] { return module->C_VerifySignatureUpdate(s, data, 16); }, hmac},
        {"message encrypt", CKF_MESSAGE_ENCRYPT, [this](auto* m) { return module->C_MessageEncryptInit(s, m, aes); },
         [this] { return module->C_MessageEncryptFinal(s); }, gcm},
        {"message decrypt", CKF_MESSAGE_DECRYPT, [this](auto* m) { return module->C_MessageDecryptInit(s, m, aes); },
         [this] { return module->C_MessageDecryptFinal(s); }, gcm},
        {"message sign", CKF_MESSAGE_SIGN, [this](auto* m) { return module->C_MessageSignInit(s, m, mac); },
         [this] { return module->C_MessageSignFinal(s); }, hmac},
        {"message verify", CKF_MESSAGE_VERIFY, [this](auto* m) { return module->C_MessageVerifyInit(s, m, mac); },
         [this] { return module->C_MessageVerifyFinal(s); }, hmac}};
  }

  CK_OBJECT_HANDLE aes = 0, mac = 0;
  Pair pair;
  CK_BYTE data[256] = {}, room[512] = {};
  CK_ULONG size = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(kinds, Kinds)

BOOST_AUTO_TEST_CASE(each_kind_is_cancelled_by_its_flag_alone) {
  for (Kind& kind : all()) {
    BOOST_TEST_CONTEXT(kind.name) {
      CONTRACT_RV(kind.begin(kind.mechanism), CKR_OK);
      CONTRACT_RV(module->C_SessionCancel(s, CKF_FIND_OBJECTS), CKR_OK);
      CONTRACT_RV(kind.begin(kind.mechanism), CKR_OPERATION_ACTIVE);
      CONTRACT_RV(module->C_SessionCancel(s, kind.flag), CKR_OK);
      CONTRACT_RV(kind.go_on(), CKR_OPERATION_NOT_INITIALIZED);
    }
  }
}

BOOST_AUTO_TEST_CASE(one_call_cancels_all) {
  std::vector<Kind> list = all();
  CK_FLAGS flags = 0;
  for (Kind& kind : list) {
    CONTRACT_RV(kind.begin(kind.mechanism), CKR_OK);
    flags |= kind.flag;
  }
  CONTRACT_RV(module->C_SessionCancel(s, flags), CKR_OK);
  for (Kind& kind : list) CONTRACT_RV(kind.go_on(), CKR_OPERATION_NOT_INITIALIZED);
}

BOOST_AUTO_TEST_CASE(a_null_mechanism_ends_each_kind) {
  for (Kind& kind : all()) {
    BOOST_TEST_CONTEXT(kind.name) {
      CONTRACT_RV(kind.begin(kind.mechanism), CKR_OK);
      CONTRACT_RV(kind.begin(nullptr), CKR_OK);
      CONTRACT_RV(kind.go_on(), CKR_OPERATION_NOT_INITIALIZED);
    }
  }
}

BOOST_AUTO_TEST_CASE(operations_with_private_keys_end_with_the_login) {
  // On the token where it takes them, because private session keys are gone with the login themselves.
  if (on_token()) {
    for (CK_OBJECT_HANDLE* const key : {&aes, &mac, &pair.private_key}) {
      CONTRACT_OK(s.copy(*key, Template().boolean(CKA_TOKEN, true), *key));
    }
  }
  for (Kind& kind : all()) {
    if (kind.flag == CKF_DIGEST || kind.flag == CKF_VERIFY_RECOVER) continue;  // no key, or a public one
    BOOST_TEST_CONTEXT(kind.name) {
      CONTRACT_RV(kind.begin(kind.mechanism), CKR_OK);
      CONTRACT_OK(s.logout());
      CONTRACT_OK(s.login(this->kind->user_pin()));
      // Logged in again, but not by whoever began.
      BOOST_TEST(kind.go_on() != CKR_OK);
      CONTRACT_RV(kind.go_on(), CKR_OPERATION_NOT_INITIALIZED);
      if (!on_token()) make_keys();
    }
  }
}

BOOST_AUTO_TEST_CASE(closing_the_session_ends_everything) {
  const auto other = open();
  CONTRACT_OK(module->C_DigestInit(*other, Mechanism(CKM_SHA256)));
  CONTRACT_OK(module->C_CloseSession(*other));
  CONTRACT_RV(module->C_DigestUpdate(*other, data, 16), CKR_SESSION_HANDLE_INVALID);
}

BOOST_AUTO_TEST_SUITE_END()
