// The vendor interface to the seals of keystore tokens, from outside: two software TPMs, and bad input.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "contract/p11.h"
#include "cryptoki/seal_interface.h"
#include "swtpm/swtpm.h"

using namespace cardea;

namespace {

/// A module with one token, a TPM, and another one.
struct Rig {
  p11::KeystoreKind kind;
  tpm::Swtpm here;
  p11::Module module{kind.module_path()};
  const CARDEA_SEAL_FUNCTIONS* seals = nullptr;
  CK_SLOT_ID slot = 0;
  std::string serial;
  std::vector<std::string> failures;
  std::string code;

  Rig() {
    const auto get = module.symbol<decltype(&::C_GetInterface)>("C_GetInterface");
    CK_UTF8CHAR name[] = CARDEA_SEAL_INTERFACE;
    CK_VERSION version{1, 0};
    CK_INTERFACE* found = nullptr;
    BOOST_REQUIRE(get(name, &version, &found, 0) == CKR_OK);
    seals = static_cast<const CARDEA_SEAL_FUNCTIONS*>(found->pFunctionList);
    use(here);
    BOOST_REQUIRE(module.initialize() == CKR_OK);
    slot = kind.make_token(module, "ours");
    CK_TOKEN_INFO info{};
    BOOST_REQUIRE(module->C_GetTokenInfo(slot, &info) == CKR_OK);
    serial.assign(reinterpret_cast<const char*>(info.serialNumber), sizeof(info.serialNumber));
  }
  ~Rig() { module->C_Finalize(nullptr); }

  /// The settings of a machine with that TPM; the module reads them when it starts.
  void use(const tpm::Swtpm& machine) const {
    std::ofstream(kind.home() / "cardea.toml")
        << "[keystore]\nretry_limit = 3\npin_cost = { memory_kib = 256, iterations = 1, lanes = 1 }\n[tpm]\ntcti = \""
        << machine.tcti() << "\"\n";
  }
  void restart() const {
    BOOST_REQUIRE(module->C_Finalize(nullptr) == CKR_OK);
    BOOST_REQUIRE(module.initialize() == CKR_OK);
  }
  CK_RV login(const std::string& pin) const {
    const p11::Session session(module, slot);
    return session.login(pin);
  }
  CK_RV seal(CK_USER_TYPE user, const std::string& text) {
    const p11::Bytes bytes = p11::bytes_of(text);
    const CARDEA_PIN pin{bytes.data(), bytes.size()};
    return seals->seal(serial.c_str(), user, &pin, take_code, failure, this);
  }
  CK_RV recover(const std::string& text) {
    const p11::Bytes bytes = p11::bytes_of(text);
    const CARDEA_PIN given{bytes.data(), bytes.size()};
    return seals->recover(serial.c_str(), &given, failure, this);
  }
  bool sealed() const {
    CK_BBOOL answer = CK_FALSE;
    BOOST_TEST(seals->sealed(serial.c_str(), &answer, nullptr, nullptr) == CKR_OK);
    return answer == CK_TRUE;
  }

  static void failure(void* context, const char* name, const char*, CK_LONG) {
    static_cast<Rig*>(context)->failures.emplace_back(name);
  }
  static void take_code(void* context, const CK_UTF8CHAR* code, CK_ULONG size) {
    static_cast<Rig*>(context)->code.assign(reinterpret_cast<const char*>(code), size);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(seal_interface, Rig)

BOOST_AUTO_TEST_CASE(a_token_moves_from_one_tpm_to_another_by_its_code_alone) {
  const tpm::Swtpm elsewhere;
  BOOST_TEST(!sealed());
  BOOST_TEST(seals->check(serial.c_str(), failure, this) == CKR_OK);
  BOOST_TEST(seal(CKU_USER, "not the PIN") == CKR_PIN_INCORRECT);
  BOOST_REQUIRE(seal(CKU_USER, kind.user_pin()) == CKR_OK);
  BOOST_TEST(code.size() == 39u);
  BOOST_TEST(sealed());
  BOOST_TEST(seals->check(serial.c_str(), failure, this) == CKR_OK);
  BOOST_TEST(login(kind.user_pin()) == CKR_OK);
  use(elsewhere);
  restart();
  // More often than there are tries.
  for (int i = 0; i < 5; ++i) BOOST_TEST(login(kind.user_pin()) == CKR_DEVICE_ERROR);
  BOOST_TEST(login("not the PIN") == CKR_DEVICE_ERROR);
  BOOST_TEST(seals->check(serial.c_str(), failure, this) == CKR_DEVICE_ERROR);
  BOOST_TEST(recover("0000-0000-0000-0000-0000-0000-0000-0000") == CKR_PIN_INCORRECT);
  BOOST_TEST(recover("0000") == CKR_PIN_INVALID);
  BOOST_TEST(sealed());
  BOOST_REQUIRE(recover(code) == CKR_OK);
  BOOST_TEST(!sealed());
  BOOST_TEST(login(kind.user_pin()) == CKR_OK);
  BOOST_TEST(recover(code) != CKR_OK);
  BOOST_REQUIRE(seal(CKU_SO, kind.so_pin()) == CKR_OK);
  BOOST_TEST(login(kind.user_pin()) == CKR_OK);
  use(here);
  restart();
  BOOST_TEST(login(kind.user_pin()) == CKR_DEVICE_ERROR);
  BOOST_TEST(failures == (std::vector<std::string>{"pin_incorrect", "device_error", "pin_incorrect", "pin_invalid",
                                                   "not_found"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_session_lives_through_sealing_and_unsealing) {
  const p11::Session session(module, slot);
  BOOST_REQUIRE(session.login(kind.user_pin()) == CKR_OK);
  BOOST_REQUIRE(seal(CKU_USER, kind.user_pin()) == CKR_OK);
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  const auto note = p11::Template()
                        .ulong(CKA_CLASS, CKO_DATA)
                        .boolean(CKA_TOKEN, true)
                        .boolean(CKA_PRIVATE, true)
                        .text(CKA_VALUE, "written after");
  BOOST_TEST(session.create(note, object) == CKR_OK);
  const p11::Bytes pin = p11::bytes_of(kind.user_pin());
  const CARDEA_PIN given{pin.data(), pin.size()};
  BOOST_TEST(seals->unseal(serial.c_str(), CKU_USER, &given, failure, this) == CKR_OK);
  BOOST_TEST(session.create(note, object) == CKR_OK);
  BOOST_TEST(failures.empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_keystore_token_is_not_found) {
  const CARDEA_PIN pin{reinterpret_cast<const CK_UTF8CHAR*>("123456"), 6};
  CK_BBOOL answer = CK_FALSE;
  for (const char* const other : {"0123456789abcdef", "../tokens", ""}) {
    failures.clear();
    BOOST_TEST(seals->sealed(other, &answer, failure, this) != CKR_OK);
    BOOST_TEST(seals->check(other, failure, this) != CKR_OK);
    BOOST_TEST(seals->seal(other, CKU_USER, &pin, take_code, failure, this) != CKR_OK);
    BOOST_TEST(seals->unseal(other, CKU_SO, &pin, failure, this) != CKR_OK);
    BOOST_TEST(seals->recover(other, &pin, failure, this) != CKR_OK);
    BOOST_TEST(failures == std::vector<std::string>(5, "not_found"), boost::test_tools::per_element());
  }
  BOOST_TEST(here.commands() == 0u);
}

BOOST_AUTO_TEST_CASE(null_pointers_and_other_users_are_refused) {
  const CARDEA_PIN none{nullptr, 4};
  const CARDEA_PIN pin{reinterpret_cast<const CK_UTF8CHAR*>("123456"), 6};
  const char* const name = serial.c_str();
  CK_BBOOL answer = CK_FALSE;
  BOOST_TEST(seals->sealed(nullptr, &answer, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(seals->sealed(name, nullptr, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(seals->check(nullptr, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(seals->seal(nullptr, CKU_USER, &pin, take_code, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(seals->seal(name, CKU_USER, nullptr, take_code, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(seals->seal(name, CKU_USER, &none, take_code, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(seals->seal(name, CKU_USER, &pin, nullptr, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(seals->seal(name, 99, &pin, take_code, nullptr, nullptr) == CKR_USER_TYPE_INVALID);
  BOOST_TEST(seals->unseal(nullptr, CKU_USER, &pin, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(seals->unseal(name, CKU_USER, nullptr, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(seals->unseal(name, CKU_CONTEXT_SPECIFIC, &pin, nullptr, nullptr) == CKR_USER_TYPE_INVALID);
  BOOST_TEST(seals->recover(nullptr, &pin, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(seals->recover(name, nullptr, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
  BOOST_TEST(!sealed());
}

BOOST_AUTO_TEST_SUITE_END()
