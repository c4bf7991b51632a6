// Sixty-four threads on one module, in this process, so that the thread sanitizer sees them (preset tsan).
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "fakes/host.h"
#include "faults/setting.h"

namespace cardea::test {

namespace {

struct Loaded {
  Loaded() {
    home.adopt();
    host = std::make_unique<Host>(module_path());
    host->start();
    slot = host->make_token(token_label, so_pin, user_pin);
    session = host->open(slot);
    host->login(session, user_pin);
    pair = host->make_p256(session, {'k'});
    aes = host->make_aes256(session, {'a'});
  }
  ~Loaded() { (*host)->C_Finalize(nullptr); }

  // Runs body(number of the thread) in all threads; answers how many threw.
  template <class Body>
  int in_threads(int count, Body body) {
    std::atomic<int> failures = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        try {
          body(i);
        } catch (const std::exception&) {
          ++failures;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return failures;
  }

  Home home;
  std::unique_ptr<Host> host;
  CK_SLOT_ID slot = 0;
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  KeyPair pair;
  CK_OBJECT_HANDLE aes = CK_INVALID_HANDLE;
};

void require(bool condition) {
  if (!condition) throw std::runtime_error("a thread saw something else than what it did");
}

// One round of what applications do: sign and verify, encrypt, create, find, change and destroy.
void work(const Host& host, CK_SESSION_HANDLE session, const Loaded& all, const std::string& id) {
  const Blob digest(32, 7);
  const Blob signature = host.sign(session, all.pair.private_key, CKM_ECDSA, digest);
  require(host.verify(session, all.pair.public_key, CKM_ECDSA, digest, signature) == CKR_OK);
  CK_MECHANISM ecb{CKM_AES_ECB, nullptr, 0};
  Blob data(64, 1), cipher(64);
  CK_ULONG size = cipher.size();
  expect_ok(host->C_EncryptInit(session, &ecb, all.aes), "C_EncryptInit");
  expect_ok(host->C_Encrypt(session, data.data(), data.size(), cipher.data(), &size), "C_Encrypt");
  Attributes attributes;
  attributes.ulong(CKA_CLASS, CKO_DATA).boolean(CKA_TOKEN, id.back() == '0').text(CKA_LABEL, id).text(CKA_VALUE, id);
  const CK_OBJECT_HANDLE made = host.create(session, attributes);
  Attributes wanted;
  wanted.text(CKA_LABEL, id);
  require(host.find(session, wanted) == std::vector<CK_OBJECT_HANDLE>{made});
  Attributes changes;
  changes.text(CKA_APPLICATION, "changed");
  expect_ok(host->C_SetAttributeValue(session, made, changes.data(), changes.size()), "C_SetAttributeValue");
  expect_ok(host->C_DestroyObject(session, made), "C_DestroyObject");
  require(host.find(session, wanted).empty());
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(sixty_four_threads_work_each_in_a_session_of_its_own, Loaded) {
  const int failures = in_threads(64, [&](int number) {
    const CK_SESSION_HANDLE own = host->open(slot);
    for (int round = 0; round < 4; ++round) {
      work(*host, own, *this, "thread " + std::to_string(number) + "." + std::to_string(round));
    }
    expect_ok((*host)->C_CloseSession(own), "C_CloseSession");
  });
  BOOST_TEST(failures == 0);
}

BOOST_FIXTURE_TEST_CASE(threads_that_share_one_session_get_answers_and_no_crash, Loaded) {
  std::atomic<int> signatures = 0;
  in_threads(16, [&](int) {
    for (int round = 0; round < 20; ++round) {
      CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
      Blob data(32, 7), signature(128);
      CK_ULONG size = signature.size();
      (*host)->C_SignInit(session, &mechanism, pair.private_key);
      if ((*host)->C_Sign(session, data.data(), data.size(), signature.data(), &size) == CKR_OK) ++signatures;
    }
  });
  BOOST_TEST(signatures > 0);
  BOOST_TEST(host->sign(host->open(slot), pair.private_key, CKM_ECDSA, Blob(32, 7)).size() == 64u);
}

BOOST_FIXTURE_TEST_CASE(logging_out_under_working_threads_ends_in_an_error_code, Loaded) {
  std::atomic<bool> stop = false;
  std::thread toggler([&] {
    for (int round = 0; round < 20; ++round) {
      (*host)->C_Logout(session);
      host->try_login(session, user_pin);
    }
    stop = true;
  });
  in_threads(8, [&](int) {
    const CK_SESSION_HANDLE own = host->open(slot);
    while (!stop) {
      CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
      Blob data(32, 7), signature(128);
      CK_ULONG size = signature.size();
      (*host)->C_SignInit(own, &mechanism, pair.private_key);
      (*host)->C_Sign(own, data.data(), data.size(), signature.data(), &size);
    }
  });
  toggler.join();
  host->login(session, user_pin);
  Attributes wanted;
  wanted.ulong(CKA_CLASS, CKO_PRIVATE_KEY);
  BOOST_TEST(host->find(session, wanted).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(initialising_and_finalising_from_many_threads_at_once_is_orderly, Loaded) {
  host->finalize();
  std::atomic<int> initialised = 0, finalised = 0;
  in_threads(16, [&](int) {
    for (int round = 0; round < 5; ++round) {
      if (host->initialize() == CKR_OK) ++initialised;
      CK_ULONG count = 0;
      (*host)->C_GetSlotList(CK_TRUE, nullptr, &count);
      if ((*host)->C_Finalize(nullptr) == CKR_OK) ++finalised;
    }
  });
  if (initialised > finalised) {
    BOOST_TEST((*host)->C_Finalize(nullptr) == CKR_OK);
  } else {
    BOOST_TEST((*host)->C_Finalize(nullptr) == CKR_CRYPTOKI_NOT_INITIALIZED);
  }
  BOOST_TEST(initialised > 0);
  host->start();
}

}  // namespace cardea::test
