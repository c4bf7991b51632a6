// Concatenation and XOR with the examples of PKCS#11 3.2, and that no protected key is cut.
#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

struct Strings {
  Bytes data = hex("89abcdef");
  CK_KEY_DERIVATION_STRING_DATA parameter() { return {data.data(), data.size()}; }
};

KeyRef base(bool sensitive = false) {
  return secret(CKK_GENERIC_SECRET, hex("01234567"), sensitive);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(simple_derive)

BOOST_AUTO_TEST_CASE(examples_of_the_standard) {
  Strings strings;
  auto parameter = strings.parameter();
  RecordingHost host;
  BOOST_TEST(derived(CKM_CONCATENATE_BASE_AND_DATA, base(), parameter_of(parameter), host) == "0123456789abcdef");
  BOOST_TEST(derived(CKM_CONCATENATE_DATA_AND_BASE, base(), parameter_of(parameter), host) == "89abcdef01234567");
  BOOST_TEST(derived(CKM_XOR_BASE_AND_DATA, base(), parameter_of(parameter), host) == "88888888");
  host.sources.push_back(secret(CKK_GENERIC_SECRET, strings.data));
  CK_OBJECT_HANDLE other = 0;
  BOOST_TEST(derived(CKM_CONCATENATE_BASE_AND_KEY, base(), parameter_of(other), host) == "0123456789abcdef");
  BOOST_TEST(derived(CKM_CONCATENATE_BASE_AND_KEY, base(), parameter_of(other), host, 5) == "0123456789");
  BOOST_TEST(derived(CKM_CONCATENATE_BASE_AND_KEY, base(), parameter_of(other), host, 9) == "template_inconsistent");
}

BOOST_AUTO_TEST_CASE(a_protected_key_is_never_cut) {
  Strings strings;
  RecordingHost host;
  host.sources = {secret(CKK_GENERIC_SECRET, strings.data), secret(CKK_GENERIC_SECRET, strings.data, true)};
  const auto tried = [&](CK_MECHANISM_TYPE type, std::size_t length) {
    auto parameter = strings.parameter();
    return derived(type, base(true), parameter_of(parameter), host, length).size() == 2 * length;
  };
  BOOST_TEST(tried(CKM_CONCATENATE_BASE_AND_DATA, 4));
  BOOST_TEST(!tried(CKM_CONCATENATE_BASE_AND_DATA, 3));
  BOOST_TEST(tried(CKM_CONCATENATE_DATA_AND_BASE, 8));
  BOOST_TEST(!tried(CKM_CONCATENATE_DATA_AND_BASE, 5));
  BOOST_TEST(tried(CKM_XOR_BASE_AND_DATA, 4));
  BOOST_TEST(!tried(CKM_XOR_BASE_AND_DATA, 1));
  strings.data.resize(1);
  BOOST_TEST(!tried(CKM_XOR_BASE_AND_DATA, 1));
  CK_OBJECT_HANDLE protected_one = 1;
  BOOST_TEST(derived(CKM_CONCATENATE_BASE_AND_KEY, base(), parameter_of(protected_one), host, 5) ==
             "template_inconsistent");
  CK_OBJECT_HANDLE open_one = 0;
  BOOST_TEST(derived(CKM_CONCATENATE_BASE_AND_KEY, base(true), parameter_of(open_one), host, 3) ==
             "template_inconsistent");
}

BOOST_AUTO_TEST_CASE(hostile_parameters) {
  RecordingHost host;
  CK_KEY_DERIVATION_STRING_DATA null{nullptr, 5};
  Bytes byte(1);
  CK_KEY_DERIVATION_STRING_DATA absurd{byte.data(), ~0UL};
  for (const CK_MECHANISM_TYPE type :
       {CKM_CONCATENATE_BASE_AND_DATA, CKM_CONCATENATE_DATA_AND_BASE, CKM_XOR_BASE_AND_DATA}) {
    BOOST_TEST(derived(type, base(), parameter_of(null), host) == "mechanism_param_invalid");
    BOOST_TEST(derived(type, base(), parameter_of(absurd), host) == "mechanism_param_invalid");
    BOOST_TEST(derived(type, base(), {}, host) == "mechanism_param_invalid");
  }
  CK_OBJECT_HANDLE unknown = 99;
  BOOST_TEST(derived(CKM_CONCATENATE_BASE_AND_KEY, base(), parameter_of(unknown), host) == "key_handle_invalid");
}

BOOST_AUTO_TEST_SUITE_END()
