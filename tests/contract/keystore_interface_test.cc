// The vendor interface to the software keystore, from outside: before C_Initialize, beside sessions, and on bad input.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "contract/p11.h"
#include "cryptoki/keystore_interface.h"

using namespace cardea;

namespace {

/// A module with one token, "ours", and its vendor interface.
struct Rig {
  p11::KeystoreKind kind;
  p11::Module module{kind.module_path()};
  const CARDEA_KEYSTORE_FUNCTIONS* keystore = nullptr;
  CK_SLOT_ID slot = 0;
  std::string serial;

  Rig() {
    const auto get = module.symbol<decltype(&::C_GetInterface)>("C_GetInterface");
    CK_UTF8CHAR name[] = CARDEA_KEYSTORE_INTERFACE;
    CK_VERSION version{1, 0};
    CK_INTERFACE* found = nullptr;
    BOOST_REQUIRE(get(name, &version, &found, 0) == CKR_OK);
    keystore = static_cast<const CARDEA_KEYSTORE_FUNCTIONS*>(found->pFunctionList);
    BOOST_REQUIRE(module.initialize() == CKR_OK);
    slot = kind.make_token(module, "ours");
    CK_TOKEN_INFO info{};
    BOOST_REQUIRE(module->C_GetTokenInfo(slot, &info) == CKR_OK);
    serial.assign(reinterpret_cast<const char*>(info.serialNumber), sizeof(info.serialNumber));
    serial.erase(serial.find_last_not_of(' ') + 1);
  }
  ~Rig() { module->C_Finalize(nullptr); }

  CK_ULONG tries(CK_USER_TYPE user) const {
    CK_ULONG left = 0;
    BOOST_TEST(keystore->tries_left(serial.c_str(), user, &left, nullptr, nullptr) == CKR_OK);
    return left;
  }
};

/// What callbacks were told, one line each.
struct Told {
  std::vector<std::string> failures;
  std::vector<std::string> findings;

  static void failure(void* context, const char* name, const char*, CK_LONG) {
    static_cast<Told*>(context)->failures.emplace_back(name);
  }
  static void finding(void* context, const char* subject, const char* sentence, const char* next_step) {
    static_cast<Told*>(context)->findings.push_back(std::string(subject) + ": " + sentence + "; " + next_step);
  }
};

void ignore_token(void*, const char*, const char*, const char*) {}
void ignore_import(void*, const char*, const char*, CK_ULONG) {}
void ignore_skipped(void*, const char*) {}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(keystore_interface, Rig)

BOOST_AUTO_TEST_CASE(it_is_listed_and_given_only_to_those_who_name_it) {
  const auto get = module.symbol<decltype(&::C_GetInterface)>("C_GetInterface");
  CK_INTERFACE* found = nullptr;
  CK_VERSION version{1, 0};
  BOOST_TEST(get(nullptr, &version, &found, 0) == CKR_FUNCTION_FAILED);
  BOOST_REQUIRE(get(nullptr, nullptr, &found, 0) == CKR_OK);
  BOOST_TEST(std::string(reinterpret_cast<const char*>(found->pInterfaceName)) == "PKCS 11");
  CK_UTF8CHAR name[] = CARDEA_KEYSTORE_INTERFACE;
  version = {2, 0};
  BOOST_TEST(get(name, &version, &found, 0) == CKR_FUNCTION_FAILED);
  CK_ULONG count = 0;
  const auto list = module.symbol<decltype(&::C_GetInterfaceList)>("C_GetInterfaceList");
  BOOST_REQUIRE(list(nullptr, &count) == CKR_OK);
  std::vector<CK_INTERFACE> interfaces(count);
  BOOST_REQUIRE(list(interfaces.data(), &count) == CKR_OK);
  BOOST_TEST(std::string(reinterpret_cast<const char*>(interfaces.back().pInterfaceName)) == CARDEA_KEYSTORE_INTERFACE);
}

BOOST_AUTO_TEST_CASE(tries_are_counted_down_and_told_without_the_module_running) {
  BOOST_TEST(tries(CKU_USER) == static_cast<CK_ULONG>(kind.retry_limit()));
  BOOST_TEST(tries(CKU_SO) == static_cast<CK_ULONG>(kind.so_retry_limit()));
  {
    p11::Session session(module, slot);
    BOOST_TEST(session.login("not the PIN") == CKR_PIN_INCORRECT);
  }
  BOOST_TEST(tries(CKU_USER) == static_cast<CK_ULONG>(kind.retry_limit() - 1));
  BOOST_REQUIRE(module->C_Finalize(nullptr) == CKR_OK);
  BOOST_TEST(tries(CKU_USER) == static_cast<CK_ULONG>(kind.retry_limit() - 1));
  Told told;
  CK_ULONG left = 0;
  BOOST_TEST(keystore->tries_left("0123456789abcdef", CKU_USER, &left, told.failure, &told) != CKR_OK);
  BOOST_TEST(keystore->tries_left("../tokens", CKU_USER, &left, told.failure, &told) != CKR_OK);
  BOOST_TEST(keystore->tries_left(serial.c_str(), 99, &left, told.failure, &told) == CKR_USER_TYPE_INVALID);
  BOOST_TEST(told.failures == (std::vector<std::string>{"not_found", "not_found", "user_type_invalid"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_check_beside_a_session_leaves_it_working) {
  p11::Session session(module, slot);
  BOOST_REQUIRE(session.login(kind.user_pin()) == CKR_OK);
  Told told;
  CK_ULONG tokens = 0;
  BOOST_TEST(keystore->check(told.finding, &tokens, told.failure, &told) == CKR_OK);
  BOOST_TEST(tokens == 1U);
  BOOST_TEST(told.findings.empty());
  CK_SESSION_INFO info{};
  BOOST_TEST(module->C_GetSessionInfo(session, &info) == CKR_OK);
  BOOST_TEST(info.state == CKS_RW_USER_FUNCTIONS);
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  const auto note =
      p11::Template().ulong(CKA_CLASS, CKO_DATA).boolean(CKA_TOKEN, true).text(CKA_VALUE, "written after");
  BOOST_TEST(session.create(note, object) == CKR_OK);
  BOOST_TEST(keystore->check(told.finding, &tokens, told.failure, &told) == CKR_OK);
  BOOST_TEST(told.findings.empty());
}

BOOST_AUTO_TEST_CASE(a_deleted_token_is_gone_and_cannot_be_deleted_again) {
  Told told;
  BOOST_TEST(keystore->delete_token(serial.c_str(), told.failure, &told) == CKR_OK);
  BOOST_TEST(told.failures.empty());
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  BOOST_TEST(module->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session) == CKR_TOKEN_NOT_PRESENT);
  BOOST_TEST(keystore->delete_token(serial.c_str(), told.failure, &told) != CKR_OK);
  BOOST_TEST(told.failures == std::vector<std::string>{"not_found"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(null_pointers_are_refused) {
  CK_ULONG number = 0;
  const CARDEA_PIN pin{nullptr, 4};
  BOOST_TEST(keystore->tries_left(nullptr, CKU_USER, &number, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(keystore->tries_left(serial.c_str(), CKU_USER, nullptr, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(keystore->delete_token(nullptr, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(keystore->check(nullptr, &number, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(keystore->check(Told::finding, nullptr, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(keystore->find_softhsm_tokens(nullptr, ignore_token, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(keystore->find_softhsm_tokens("/", nullptr, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(keystore->import_softhsm("/", &pin, &pin, ignore_import, ignore_skipped, nullptr, nullptr) ==
             CKR_ARGUMENTS_BAD);
  BOOST_TEST(keystore->import_softhsm("/", nullptr, nullptr, ignore_import, ignore_skipped, nullptr, nullptr) ==
             CKR_ARGUMENTS_BAD);
}

// Two copies in one process would undo each other's locks on the store.
BOOST_AUTO_TEST_CASE(a_second_copy_of_the_module_leaves_the_store_alone) {
  const p11::TemporaryDirectory folder;
  const auto path = folder.path() / "libcardea-pkcs11.so";
  std::filesystem::copy_file(kind.module_path(), path);
  const p11::Module copy(path.string());
  BOOST_REQUIRE(copy.initialize() == CKR_OK);
  CK_SLOT_INFO info{};
  for (const CK_SLOT_ID each : copy.slots()) {
    CK_TOKEN_INFO token{};
    BOOST_TEST((copy->C_GetTokenInfo(each, &token) != CKR_OK || (token.flags & CKF_TOKEN_INITIALIZED) == 0));
    BOOST_TEST(copy->C_GetSlotInfo(each, &info) == CKR_OK);
  }
  copy->C_Finalize(nullptr);
  BOOST_TEST(tries(CKU_USER) == static_cast<CK_ULONG>(kind.retry_limit()));
}

BOOST_AUTO_TEST_SUITE_END()
