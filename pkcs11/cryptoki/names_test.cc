#include "cryptoki/names.h"

#include <boost/test/unit_test.hpp>

#include "cryptoki/nss.h"

namespace cardea {
namespace {

BOOST_AUTO_TEST_CASE(values_have_the_standard_names) {
  BOOST_TEST(constant_name(ConstantKind::CKA, CKA_LABEL) == "CKA_LABEL");
  BOOST_TEST(constant_name(ConstantKind::CKM, CKM_RSA_PKCS) == "CKM_RSA_PKCS");
  BOOST_TEST(constant_name(ConstantKind::CKR, CKR_OK) == "CKR_OK");
  BOOST_TEST(constant_name(ConstantKind::CKO, CKO_SECRET_KEY) == "CKO_SECRET_KEY");
  BOOST_TEST(constant_name(ConstantKind::CKK, CKK_EC) == "CKK_EC");
  BOOST_TEST(constant_name(ConstantKind::CKA, 0x7fffffff).empty());
}

BOOST_AUTO_TEST_CASE(constants_of_nss_have_names) {
  BOOST_TEST(constant_text(ConstantKind::CKM, CKM_NSS_AES_KEY_WRAP) == "CKM_NSS_AES_KEY_WRAP");
  BOOST_TEST(constant_value(ConstantKind::CKM, "nss_aes_key_wrap").value() == CKM_NSS_AES_KEY_WRAP);
}

BOOST_AUTO_TEST_CASE(unknown_values_become_prefix_and_number) {
  BOOST_TEST(constant_text(ConstantKind::CKM, CKM_AES_GCM) == "CKM_AES_GCM");
  BOOST_TEST(constant_text(ConstantKind::CKM, 0x800000abUL) == "CKM_0x800000ab");
  BOOST_TEST(constant_text(ConstantKind::CKA, ~0UL) == "CKA_0xffffffffffffffff");
}

BOOST_AUTO_TEST_CASE(names_have_values_in_any_spelling) {
  BOOST_TEST(constant_value(ConstantKind::CKA, "CKA_LABEL").value() == CKA_LABEL);
  BOOST_TEST(constant_value(ConstantKind::CKA, "label").value() == CKA_LABEL);
  BOOST_TEST(constant_value(ConstantKind::CKA, "cka_Ecdsa_Params").value() == CKA_EC_PARAMS);
  BOOST_TEST(constant_value(ConstantKind::CKM, "0x1").value() == CKM_RSA_PKCS);
  BOOST_TEST(constant_value(ConstantKind::CKM, "1").value() == CKM_RSA_PKCS);
  BOOST_TEST(!constant_value(ConstantKind::CKM, "CKA_LABEL"));
  BOOST_TEST(!constant_value(ConstantKind::CKM, ""));
  BOOST_TEST(!constant_value(ConstantKind::CKM, "0x"));
  BOOST_TEST(!constant_value(ConstantKind::CKM, "12 "));
}

}  // namespace
}  // namespace cardea
