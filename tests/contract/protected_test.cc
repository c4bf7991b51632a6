// What read-only sessions, write-protected tokens and locked PINs still let a caller do (PKCS#11 3.2, 5.5.3, 5.6).
#include <sys/wait.h>

#include <iostream>

#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

struct Protected : Fixture {
  CK_FLAGS flags() const {
    CK_TOKEN_INFO info{};
    CONTRACT_OK(module->C_GetTokenInfo(slot, &info));
    return info.flags;
  }
  CK_RV set_pin(const Session& session, const std::string& from, const std::string& to) const {
    Bytes before = bytes_of(from), after = bytes_of(to);
    return module->C_SetPIN(session, before.data(), before.size(), after.data(), after.size());
  }
  CK_RV init_token(const std::string& so_pin) const {
    Bytes pin = bytes_of(so_pin), label = bytes_of("contract                        ");
    return module->C_InitToken(slot, pin.data(), pin.size(), label.data());
  }
  void lock(CK_USER_TYPE who, int limit) const {
    const auto session = open();
    for (int i = 0; i < limit; ++i) {
      const CK_RV rv = session->login("99999999", who);
      BOOST_TEST((rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED), rv_text(rv));
    }
  }
};

/// Checks in a child process, where Boost.Test cannot be asked: each failure is a line on stderr.
class Checks {
 public:
  void rv(const char* call, CK_RV got, CK_RV wanted) {
    if (got == wanted) return;
    std::cerr << call << " answered " << rv_text(got) << " instead of " << rv_text(wanted) << "\n";
    ++failures_;
  }
  void holds(const char* what, bool condition) {
    if (condition) return;
    std::cerr << what << "\n";
    ++failures_;
  }
  int failures() const { return failures_; }

 private:
  int failures_ = 0;
};

/// Works on a write-protected token; the number of failures.
int work_write_protected(const Module& module, CK_SLOT_ID slot, const TokenKind& kind) {
  Checks check;
  check.rv("C_Initialize", module.initialize(), CKR_OK);
  CK_TOKEN_INFO info{};
  check.rv("C_GetTokenInfo", module->C_GetTokenInfo(slot, &info), CKR_OK);
  check.holds("the token does not say that it is write-protected", (info.flags & CKF_WRITE_PROTECTED) != 0);
  check.rv("C_OpenSession to write", Session(module, slot).status(), CKR_TOKEN_WRITE_PROTECTED);
  const Session s(module, slot, false);
  check.rv("C_OpenSession to read", s.status(), CKR_OK);
  check.rv("C_Login", s.login(kind.user_pin()), CKR_OK);
  const auto keys = s.find(Template().text(CKA_LABEL, "signer").ulong(CKA_CLASS, CKO_PRIVATE_KEY));
  check.holds("the key is not found", keys.size() == 1);
  if (keys.size() == 1) {
    check.rv("C_Sign", s.sign(Mechanism(CKM_ECDSA), keys[0], counted(32)).rv, CKR_OK);
    check.rv("C_DestroyObject", s.destroy(keys[0]), CKR_SESSION_READ_ONLY);
    check.rv("C_SetAttributeValue", s.set(keys[0], Template().text(CKA_LABEL, "x")), CKR_SESSION_READ_ONLY);
  }
  CK_OBJECT_HANDLE object = 0;
  check.rv("a session object", s.create(data_template("here", false, true), object), CKR_OK);
  check.rv("a token object", s.create(data_template("there", true), object), CKR_SESSION_READ_ONLY);
  check.rv("C_Logout", s.logout(), CKR_OK);
  Bytes pin = bytes_of(kind.user_pin());
  check.rv("C_SetPIN", module->C_SetPIN(s, pin.data(), pin.size(), pin.data(), pin.size()), CKR_SESSION_READ_ONLY);
  return check.failures();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(protection, Protected)

BOOST_AUTO_TEST_CASE(read_only_sessions_work_on_session_objects) {
  const auto session = user(false);
  CK_OBJECT_HANDLE object = 0;
  CONTRACT_RV(session->create(data_template("x", true), object), CKR_SESSION_READ_ONLY);
  CONTRACT_RV(
      session->generate(Mechanism(CKM_AES_KEY_GEN), aes_generation({CKA_ENCRYPT}).boolean(CKA_TOKEN, true), object),
      CKR_SESSION_READ_ONLY);
  CONTRACT_RV(session->create(data_template("x", false, true), object), CKR_OK);
  CONTRACT_RV(session->set(object, Template().text(CKA_LABEL, "y")), CKR_OK);
  CONTRACT_RV(session->destroy(object), CKR_OK);
  CONTRACT_RV(session->generate(Mechanism(CKM_AES_KEY_GEN), aes_generation({CKA_ENCRYPT}), object), CKR_OK);
}

BOOST_AUTO_TEST_CASE(a_write_protected_token_still_signs) {
  {
    const auto session = user();
    Pair made;
    const Template name = Template().text(CKA_LABEL, "signer").boolean(CKA_TOKEN, true);
    CONTRACT_OK(session->generate_pair(Mechanism(CKM_EC_KEY_PAIR_GEN), Template(name).bytes(CKA_EC_PARAMS, p256()),
                                       name, made.public_key, made.private_key));
  }
  CONTRACT_OK(module->C_Finalize(nullptr));
  const pid_t child = fork();
  if (child == 0) {
    int status = 77;
    try {
      if (kind->write_protect()) status = work_write_protected(module, slot, *kind) == 0 ? 0 : 1;
    } catch (const std::exception& error) {
      std::cerr << error.what() << "\n";
      status = 2;
    }
    _exit(status);
  }
  BOOST_REQUIRE(child > 0);
  int status = -1;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) {
    std::cout << "SKIPPED: nothing here can be write-protected by this user\n";
  } else {
    BOOST_TEST(WEXITSTATUS(status) == 0);
  }
  CONTRACT_OK(module.initialize());
  CONTRACT_RV(user()->status(), CKR_OK);
}

BOOST_AUTO_TEST_CASE(a_locked_user_pin_locks_private_objects_alone) {
  if (kind->retry_limit() == 0) {
    BOOST_TEST_MESSAGE("SKIPPED: the PIN of this token kind never locks");
    return;
  }
  {
    const auto session = user();
    Pair made;
    CONTRACT_OK(session->generate_pair(Mechanism(CKM_EC_KEY_PAIR_GEN),
                                       Template().bytes(CKA_EC_PARAMS, p256()).boolean(CKA_TOKEN, true),
                                       Template().boolean(CKA_TOKEN, true), made.public_key, made.private_key));
  }
  const Template open_half = Template().ulong(CKA_CLASS, CKO_PUBLIC_KEY);
  const Template closed_half = Template().ulong(CKA_CLASS, CKO_PRIVATE_KEY);
  lock(CKU_USER, kind->retry_limit());
  BOOST_TEST((flags() & CKF_USER_PIN_LOCKED) != 0u);
  const auto session = open();
  CONTRACT_RV(session->login(kind->user_pin()), CKR_PIN_LOCKED);
  CONTRACT_RV(set_pin(*session, kind->user_pin(), "222222"), CKR_PIN_LOCKED);
  BOOST_TEST(session->find(open_half).size() == 1u);
  BOOST_TEST(session->find(closed_half).empty());
  CONTRACT_OK(session->login(kind->so_pin(), CKU_SO));
  Bytes fresh = bytes_of("222222");
  if (!kind->officer_sets_user_pin()) {
    CONTRACT_RV(module->C_InitPIN(*session, fresh.data(), fresh.size()), CKR_FUNCTION_NOT_SUPPORTED);
    return;
  }
  // What was private is there again once the officer has set a new PIN.
  CONTRACT_OK(module->C_InitPIN(*session, fresh.data(), fresh.size()));
  CONTRACT_OK(session->logout());
  CONTRACT_OK(session->login("222222"));
  BOOST_TEST(session->find(closed_half).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_lock_outlives_the_module) {
  if (kind->retry_limit() == 0) {
    BOOST_TEST_MESSAGE("SKIPPED: the PIN of this token kind never locks");
    return;
  }
  lock(CKU_USER, kind->retry_limit());
  CONTRACT_OK(module->C_Finalize(nullptr));
  CONTRACT_OK(module.initialize());
  BOOST_TEST((flags() & CKF_USER_PIN_LOCKED) != 0u);
  CONTRACT_RV(open()->login(kind->user_pin()), CKR_PIN_LOCKED);
}

BOOST_AUTO_TEST_CASE(a_locked_officer_can_neither_log_in_nor_initialise) {
  if (kind->so_retry_limit() == 0) {
    BOOST_TEST_MESSAGE("SKIPPED: the officer's PIN of this token kind never locks");
    return;
  }
  lock(CKU_SO, kind->so_retry_limit());
  BOOST_TEST((flags() & CKF_SO_PIN_LOCKED) != 0u);
  CONTRACT_RV(open()->login(kind->so_pin(), CKU_SO), CKR_PIN_LOCKED);
  CONTRACT_RV(init_token(kind->so_pin()), CKR_PIN_LOCKED);
  CONTRACT_RV(user()->status(), CKR_OK);
}

BOOST_AUTO_TEST_CASE(wrong_pins_of_the_officer_count_when_initialising_too, *precondition(keeps_any_object)) {
  CONTRACT_RV(init_token("00000000"), CKR_PIN_INCORRECT);
  BOOST_TEST((flags() & CKF_SO_PIN_COUNT_LOW) != 0u);
  CONTRACT_RV(officer()->status(), CKR_OK);
  BOOST_TEST((flags() & CKF_SO_PIN_COUNT_LOW) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
