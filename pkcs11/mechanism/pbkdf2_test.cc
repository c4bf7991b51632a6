// PBKDF2 against RFC 6070, with both published forms of the parameter.
#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

struct Given {
  Bytes password = to_bytes(view_of("password"));
  Bytes salt = to_bytes(view_of("salt"));
  CK_PKCS5_PBKD2_PARAMS2 parameter(CK_ULONG iterations) {
    return {CKZ_SALT_SPECIFIED, salt.data(),    salt.size(), iterations, CKP_PKCS5_PBKD2_HMAC_SHA1, nullptr, 0,
            password.data(),    password.size()};
  }
};

std::string generated(Parameter parameter, std::optional<std::size_t> length, CK_KEY_TYPE type = CKK_GENERIC_SECRET) {
  AttributeSet wanted;
  wanted.set_ulong(CKA_KEY_TYPE, type);
  if (length) wanted.set_ulong(CKA_VALUE_LEN, *length);
  const auto made = mechanism(CKM_PKCS5_PBKD2).generate_key(parameter, wanted);
  return made ? to_hex(made->view()) : std::string(name(made.code()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pbkdf2)

BOOST_AUTO_TEST_CASE(known_answers) {
  Given given;
  auto once = given.parameter(1);
  BOOST_TEST(generated(parameter_of(once), 20) == "0c60c80f961f0e71f3a9b524af6012062fe037a6");
  auto often = given.parameter(4096);
  BOOST_TEST(generated(parameter_of(often), 20) == "4b007901b765489abead49d926f721d065a429c1");
  auto sha256 = given.parameter(1);
  sha256.prf = CKP_PKCS5_PBKD2_HMAC_SHA256;
  BOOST_TEST(generated(parameter_of(sha256), 32) == "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
  CK_ULONG password_size = given.password.size();
  CK_PKCS5_PBKD2_PARAMS older{
      CKZ_SALT_SPECIFIED,    given.salt.data(), given.salt.size(), 4096, CKP_PKCS5_PBKD2_HMAC_SHA1, nullptr, 0,
      given.password.data(), &password_size};
  BOOST_TEST(generated(parameter_of(older), 20) == "4b007901b765489abead49d926f721d065a429c1");
}

BOOST_AUTO_TEST_CASE(lengths) {
  Given given;
  auto parameter = given.parameter(1);
  BOOST_TEST(generated(parameter_of(parameter), {}) == "template_incomplete");
  BOOST_TEST(generated(parameter_of(parameter), {}, CKK_CHACHA20).size() == 64u);
  BOOST_TEST(generated(parameter_of(parameter), 0) == "key_size_range");
  BOOST_TEST(generated(parameter_of(parameter), ~0UL) == "key_size_range");
}

BOOST_AUTO_TEST_CASE(hostile_parameters) {
  const auto refused = [&](auto change) {
    Given given;
    auto parameter = given.parameter(1);
    change(parameter);
    BOOST_TEST(generated(parameter_of(parameter), 20) == "mechanism_param_invalid");
  };
  refused([](auto& p) { p.iterations = 0; });
  refused([](auto& p) { p.iterations = ~0UL; });
  refused([](auto& p) { p.prf = CKP_PKCS5_PBKD2_HMAC_GOSTR3411; });
  refused([](auto& p) { p.prf = 99; });
  refused([](auto& p) { p.saltSource = 2; });
  refused([](auto& p) { p.pSaltSourceData = nullptr; });
  refused([](auto& p) { p.ulSaltSourceDataLen = ~0UL; });
  refused([](auto& p) { p.ulPrfDataLen = 4; });
  refused([](auto& p) { p.pPassword = nullptr; });
  for (const CK_ULONG size : {1UL << 17, 1UL << 32, 1UL << 62, ~0UL, ~0UL - 7}) {
    refused([&](auto& p) { p.ulPasswordLen = size; });
  }
}

BOOST_AUTO_TEST_SUITE_END()
