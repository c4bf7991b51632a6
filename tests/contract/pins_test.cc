// PINs and their counters, initialisation, unlocking (PKCS#11 3.2, 5.5.7 to 5.5.9, 5.6.8).
#include <boost/test/unit_test.hpp>

#include "contract/p11.h"

namespace {

using namespace cardea::p11;

struct Fixture {
  Fixture() : module(kind.module_path()) {
    BOOST_REQUIRE_EQUAL(module.initialize(), CKR_OK);
    slot = kind.make_token(module, "pins");
  }
  ~Fixture() { module->C_Finalize(nullptr); }

  CK_FLAGS flags() const {
    CK_TOKEN_INFO info{};
    BOOST_TEST(module->C_GetTokenInfo(slot, &info) == CKR_OK);
    return info.flags;
  }
  CK_RV init_pin(const Session& session, const std::string& pin) const {
    Bytes raw = bytes_of(pin);
    return module->C_InitPIN(session, raw.data(), raw.size());
  }
  CK_RV set_pin(const Session& session, const std::string& from, const std::string& to) const {
    Bytes before = bytes_of(from), after = bytes_of(to);
    return module->C_SetPIN(session, before.data(), before.size(), after.data(), after.size());
  }
  CK_RV init_token(const std::string& so_pin, const std::string& label) const {
    std::string padded = label;
    padded.resize(32, ' ');
    Bytes pin = bytes_of(so_pin), name = bytes_of(padded);
    return module->C_InitToken(slot, pin.data(), pin.size(), name.data());
  }

  KeystoreKind kind;
  Module module;
  CK_SLOT_ID slot = 0;
};

constexpr CK_FLAGS user_counter = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pins, Fixture)

BOOST_AUTO_TEST_CASE(a_new_token_says_what_it_is) {
  CK_TOKEN_INFO info{};
  BOOST_REQUIRE_EQUAL(module->C_GetTokenInfo(slot, &info), CKR_OK);
  BOOST_TEST((info.flags & CKF_TOKEN_INITIALIZED) != 0);
  BOOST_TEST((info.flags & CKF_USER_PIN_INITIALIZED) != 0);
  BOOST_TEST((info.flags & CKF_LOGIN_REQUIRED) != 0);
  BOOST_TEST((info.flags & user_counter) == 0u);
  BOOST_TEST(std::string(reinterpret_cast<const char*>(info.label), 5) == "pins ");
}

BOOST_AUTO_TEST_CASE(wrong_pins_count_down_to_the_lock_and_the_officer_unlocks) {
  Session session(module, slot);
  const int limit = kind.retry_limit();
  for (int i = 1; i < limit; ++i) {
    BOOST_TEST(session.login("999999") == CKR_PIN_INCORRECT);
    BOOST_TEST((flags() & CKF_USER_PIN_COUNT_LOW) != 0);
  }
  BOOST_TEST((flags() & CKF_USER_PIN_FINAL_TRY) != 0);
  BOOST_TEST((flags() & CKF_USER_PIN_LOCKED) == 0);
  const CK_RV last = session.login("999999");
  BOOST_TEST((last == CKR_PIN_INCORRECT || last == CKR_PIN_LOCKED));
  BOOST_TEST((flags() & CKF_USER_PIN_LOCKED) != 0);
  BOOST_TEST(session.login(kind.user_pin()) == CKR_PIN_LOCKED);
  BOOST_REQUIRE_EQUAL(session.login(kind.so_pin(), CKU_SO), CKR_OK);
  BOOST_REQUIRE_EQUAL(init_pin(session, "246810"), CKR_OK);
  BOOST_REQUIRE_EQUAL(session.logout(), CKR_OK);
  BOOST_TEST((flags() & user_counter) == 0u);
  BOOST_TEST(session.login(kind.user_pin()) == CKR_PIN_INCORRECT);
  BOOST_TEST(session.login("246810") == CKR_OK);
}

BOOST_AUTO_TEST_CASE(the_right_pin_clears_the_counter) {
  Session session(module, slot);
  for (int round = 0; round < 5; ++round) {
    BOOST_TEST(session.login("999999") == CKR_PIN_INCORRECT);
    BOOST_TEST(session.login(kind.user_pin()) == CKR_OK);
    BOOST_TEST((flags() & user_counter) == 0u);
    BOOST_TEST(session.logout() == CKR_OK);
  }
}

BOOST_AUTO_TEST_CASE(the_user_changes_the_pin_logged_in_or_not) {
  Session session(module, slot);
  BOOST_TEST(set_pin(session, "999999", "222222") == CKR_PIN_INCORRECT);
  BOOST_TEST(set_pin(session, kind.user_pin(), "222222") == CKR_OK);
  BOOST_TEST(session.login("222222") == CKR_OK);
  BOOST_TEST(set_pin(session, "222222", "333333") == CKR_OK);
  BOOST_TEST(session.logout() == CKR_OK);
  BOOST_TEST(session.login("333333") == CKR_OK);
}

BOOST_AUTO_TEST_CASE(length_limits_hold) {
  CK_TOKEN_INFO info{};
  BOOST_REQUIRE_EQUAL(module->C_GetTokenInfo(slot, &info), CKR_OK);
  Session session(module, slot);
  BOOST_TEST(set_pin(session, kind.user_pin(), std::string(info.ulMinPinLen - 1, '1')) == CKR_PIN_LEN_RANGE);
  BOOST_TEST(set_pin(session, kind.user_pin(), std::string(info.ulMaxPinLen + 1, '1')) == CKR_PIN_LEN_RANGE);
  BOOST_TEST(session.login(kind.user_pin()) == CKR_OK);
}

BOOST_AUTO_TEST_CASE(a_read_only_session_changes_no_pin) {
  Session session(module, slot, false);
  BOOST_TEST(set_pin(session, kind.user_pin(), "222222") == CKR_SESSION_READ_ONLY);
}

BOOST_AUTO_TEST_CASE(the_officer_changes_the_officer_s_pin) {
  Session session(module, slot);
  BOOST_REQUIRE_EQUAL(session.login(kind.so_pin(), CKU_SO), CKR_OK);
  BOOST_TEST(set_pin(session, kind.so_pin(), "11223344") == CKR_OK);
  BOOST_TEST(session.logout() == CKR_OK);
  BOOST_TEST(session.login(kind.so_pin(), CKU_SO) == CKR_PIN_INCORRECT);
  BOOST_TEST(session.login("11223344", CKU_SO) == CKR_OK);
}

BOOST_AUTO_TEST_CASE(initialising_again_needs_the_officer_and_takes_everything) {
  {
    Session session(module, slot);
    BOOST_REQUIRE_EQUAL(session.login(kind.user_pin()), CKR_OK);
    Template data;
    data.ulong(CKA_CLASS, CKO_DATA).boolean(CKA_TOKEN, true).boolean(CKA_PRIVATE, false).text(CKA_LABEL, "gone");
    CK_OBJECT_HANDLE object = 0;
    BOOST_REQUIRE_EQUAL(session.create(data, object), CKR_OK);
    BOOST_TEST(init_token(kind.so_pin(), "pins") == CKR_SESSION_EXISTS);
  }
  BOOST_TEST(init_token("00000000", "pins") == CKR_PIN_INCORRECT);
  BOOST_REQUIRE_EQUAL(init_token(kind.so_pin(), "again"), CKR_OK);
  BOOST_TEST((flags() & CKF_USER_PIN_INITIALIZED) == 0);
  Session session(module, slot);
  Template search;
  search.text(CKA_LABEL, "gone");
  BOOST_TEST(session.find(search).empty());
  BOOST_TEST(session.login(kind.user_pin()) == CKR_USER_PIN_NOT_INITIALIZED);
}

BOOST_AUTO_TEST_CASE(login_user_knows_the_user_without_a_name) {
  Session session(module, slot);
  Bytes pin = bytes_of(kind.user_pin());
  BOOST_TEST(module->C_LoginUser(session, CKU_USER, pin.data(), pin.size(), nullptr, 0) == CKR_OK);
  CK_SESSION_INFO info{};
  BOOST_REQUIRE_EQUAL(module->C_GetSessionInfo(session, &info), CKR_OK);
  BOOST_TEST(info.state == CKS_RW_USER_FUNCTIONS);
}

BOOST_AUTO_TEST_CASE(the_user_cannot_do_the_officer_s_work) {
  Session session(module, slot);
  BOOST_REQUIRE_EQUAL(session.login(kind.user_pin()), CKR_OK);
  BOOST_TEST(init_pin(session, "222222") == CKR_USER_NOT_LOGGED_IN);
}

BOOST_AUTO_TEST_SUITE_END()
