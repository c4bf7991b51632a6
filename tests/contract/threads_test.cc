// Threads and the ends of the module's life: one session shared, C_Finalize and C_Initialize beside other calls,
// waiting for slot events (PKCS#11 3.2, 5.4, 5.5.4 and 5.6).
//
// Nothing here measures time. A thread that must be inside a call is known to be there when the kernel says that it
// waits; a loop that waits for something ends at a bound and fails the case.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "conformance/waiting.h"
#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

/// Threads that are joined whatever happens to the case.
class Crew {
 public:
  Crew() = default;
  ~Crew() {
    for (std::thread& each : threads_) each.join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  template <typename Work>
  void add(Work work) {
    threads_.emplace_back(work);
  }

 private:
  std::vector<std::thread> threads_;
};

/// How often each return value came. Boost.Test's macros are not for several threads, so that they count here.
class Answers {
 public:
  void count(CK_RV rv) {
    const std::lock_guard lock(mutex_);
    ++seen_[rv];
  }
  int of(CK_RV rv) const {
    const std::lock_guard lock(mutex_);
    const auto found = seen_.find(rv);
    return found == seen_.end() ? 0 : found->second;
  }
  /// The first that is none of these; CKR_OK when there is none.
  CK_RV other_than(std::initializer_list<CK_RV> allowed) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [rv, times] : seen_) {
      if (std::find(allowed.begin(), allowed.end(), rv) == allowed.end()) return rv;
    }
    return CKR_OK;
  }

 private:
  mutable std::mutex mutex_;
  std::map<CK_RV, int> seen_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(threads, UserFixture)

BOOST_AUTO_TEST_CASE(two_threads_on_one_session_never_mix) {
  const CK_OBJECT_HANDLE key = created(generic_template(counted(32), {CKA_SIGN}));
  const Bytes data = counted(64), right = s.sign(Mechanism(CKM_SHA256_HMAC), key, data).bytes;
  Answers answers;
  std::atomic<int> wrong = 0, signed_well = 0;
  {
    Crew crew;
    for (int thread = 0; thread < 4; ++thread) {
      crew.add([&] {
        for (int round = 0; round < 2000; ++round) {
          Mechanism hmac(CKM_SHA256_HMAC);
          const CK_RV begun = module->C_SignInit(s, hmac, key);
          answers.count(begun);
          if (begun != CKR_OK) continue;
          Bytes signature(64);
          CK_ULONG size = signature.size();
          const CK_RV rv = module->C_Sign(s, in(data), length(data), signature.data(), &size);
          answers.count(rv);
          if (rv != CKR_OK) continue;
          signature.resize(size);
          ++signed_well;
          if (signature != right) ++wrong;
        }
      });
    }
  }
  BOOST_TEST(wrong == 0);
  BOOST_TEST(signed_well > 0);
  CONTRACT_RV(answers.other_than({CKR_OK, CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED}), CKR_OK);
  CONTRACT_RV(module->C_SessionCancel(s, CKF_SIGN), CKR_OK);
  BOOST_TEST(s.sign(Mechanism(CKM_SHA256_HMAC), key, data).bytes == right);
}

BOOST_AUTO_TEST_CASE(objects_change_under_readers_and_searchers) {
  Answers answers;
  std::atomic<bool> done = false;
  {
    Crew crew;
    crew.add([&] {
      for (int round = 0; round < 300; ++round) {
        CK_OBJECT_HANDLE object = 0;
        answers.count(s.create(data_template("moving"), object));
        answers.count(s.set(object, Template().text(CKA_APPLICATION, std::string(round % 50, 'x'))));
        answers.count(s.destroy(object));
      }
      done = true;
    });
    for (int thread = 0; thread < 2; ++thread) {
      crew.add([&] {
        const Session own(module, slot);
        while (!done) {
          for (const CK_OBJECT_HANDLE object : own.find(Template().text(CKA_LABEL, "moving"))) {
            const CK_RV rv = own.get(object, CKA_APPLICATION).rv;
            // Between asking for the size and the value it may have gone or grown.
            answers.count(rv == CKR_BUFFER_TOO_SMALL || rv == CKR_OBJECT_HANDLE_INVALID ? CKR_OK : rv);
          }
        }
      });
    }
  }
  CONTRACT_RV(answers.other_than({CKR_OK}), CKR_OK);
  BOOST_TEST(s.find(Template().text(CKA_LABEL, "moving")).empty());
}

BOOST_AUTO_TEST_CASE(finalize_while_others_call) {
  const CK_OBJECT_HANDLE key = created(generic_template(counted(32), {CKA_SIGN}));
  Answers answers;
  std::atomic<int> inside = 0;
  {
    Crew crew;
    for (int thread = 0; thread < 4; ++thread) {
      crew.add([&] {
        ++inside;
        CK_RV rv = CKR_OK;
        while (rv != CKR_CRYPTOKI_NOT_INITIALIZED) {
          CK_SESSION_HANDLE session = 0;
          rv = module->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session);
          answers.count(rv);
          if (rv != CKR_OK) continue;
          Mechanism hmac(CKM_SHA256_HMAC);
          CK_BYTE data[32] = {}, signature[64];
          CK_ULONG size = sizeof(signature);
          if (module->C_SignInit(session, hmac, key) == CKR_OK) {
            module->C_Sign(session, data, sizeof(data), signature, &size);
          }
          module->C_FindObjectsInit(session, nullptr, 0);
          module->C_CloseSession(session);
        }
      });
    }
    BOOST_TEST(eventually([&] { return inside == 4 && answers.of(CKR_OK) > 20; }));
    CONTRACT_RV(module->C_Finalize(nullptr), CKR_OK);
  }
  CONTRACT_RV(answers.other_than({CKR_OK, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_SLOT_ID_INVALID}), CKR_OK);
  CONTRACT_OK(module.initialize());
  const auto again = user();
  BOOST_TEST(again->digest(Mechanism(CKM_SHA256), counted(3)).ok());
}

BOOST_AUTO_TEST_CASE(many_threads_initialise_and_one_does) {
  for (int round = 0; round < 20; ++round) {
    CONTRACT_OK(module->C_Finalize(nullptr));
    Answers answers;
    std::atomic<bool> go = false;
    {
      Crew crew;
      for (int thread = 0; thread < 8; ++thread) {
        crew.add([&] {
          while (!go) std::this_thread::yield();
          answers.count(module.initialize());
        });
      }
      go = true;
    }
    BOOST_TEST(answers.of(CKR_OK) == 1);
    BOOST_TEST(answers.of(CKR_CRYPTOKI_ALREADY_INITIALIZED) == 7);
    BOOST_TEST(!module.slots().empty());
  }
}

// As NSS initialises every module, in programs full of threads.
BOOST_AUTO_TEST_CASE(a_host_that_allows_no_threads_gets_its_token_all_the_same) {
  CONTRACT_OK(module->C_Finalize(nullptr));
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS | CKF_OS_LOCKING_OK;
  CONTRACT_OK(module->C_Initialize(&arguments));
  CK_TOKEN_INFO token{};
  CONTRACT_OK(module->C_GetTokenInfo(slot, &token));
  BOOST_TEST((token.flags & CKF_USER_PIN_INITIALIZED) != 0u);
  CONTRACT_OK(user()->logout());
  CK_SLOT_ID changed = 0;
  CONTRACT_RV(module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &changed, nullptr), CKR_NO_EVENT);
}

BOOST_AUTO_TEST_CASE(finalize_wakes_whoever_waits_for_an_event) {
  CK_SLOT_ID event = 0;
  while (module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &event, nullptr) == CKR_OK) {
  }
  std::array<std::atomic<pid_t>, 3> waiting{};
  std::array<std::atomic<CK_RV>, 3> answers{};
  {
    Crew crew;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      answers[i] = CKR_FUNCTION_FAILED;
      crew.add([&, i] {
        waiting[i] = static_cast<pid_t>(syscall(SYS_gettid));
        CK_SLOT_ID changed = 0;
        answers[i] = module->C_WaitForSlotEvent(0, &changed, nullptr);
      });
    }
    for (const auto& thread : waiting) BOOST_TEST(falls_asleep(thread));
    for (const auto& answer : answers) CONTRACT_RV(answer.load(), CKR_FUNCTION_FAILED);
    CONTRACT_RV(module->C_Finalize(nullptr), CKR_OK);
  }
  for (const auto& answer : answers) CONTRACT_RV(answer.load(), CKR_CRYPTOKI_NOT_INITIALIZED);
}

BOOST_AUTO_TEST_CASE(nothing_new_is_no_event) {
  CK_SLOT_ID event = 0;
  while (module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &event, nullptr) == CKR_OK) {
  }
  CONTRACT_RV(module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &event, nullptr), CKR_NO_EVENT);
  CONTRACT_RV(module->C_WaitForSlotEvent(0, nullptr, nullptr), CKR_ARGUMENTS_BAD);
  CONTRACT_RV(module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &event, &event), CKR_ARGUMENTS_BAD);
}

BOOST_AUTO_TEST_CASE(a_token_that_another_process_makes_is_an_event, *precondition(keeps_any_object)) {
  CK_SLOT_ID event = 0;
  while (module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &event, nullptr) == CKR_OK) {
  }
  const pid_t child = fork();
  if (child == 0) {
    int status = 1;
    try {
      if (module.initialize() == CKR_OK) {
        kind->make_token(module, "from another process");
        status = module->C_Finalize(nullptr) == CKR_OK ? 0 : 2;
      }
    } catch (const std::exception&) {
      status = 3;
    }
    _exit(status);
  }
  BOOST_REQUIRE(child > 0);
  int status = -1;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_REQUIRE_EQUAL(status, 0);
  BOOST_TEST(eventually([&] { return module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &event, nullptr) == CKR_OK; }));
  CK_TOKEN_INFO info{};
  bool found = false;
  for (const CK_SLOT_ID each : module.slots()) {
    found = found ||
            (module->C_GetTokenInfo(each, &info) == CKR_OK && std::memcmp(info.label, "from another process", 20) == 0);
  }
  BOOST_TEST(found);
}

BOOST_AUTO_TEST_SUITE_END()
