// HKDF against RFC 5869, A.1 and A.3, and digest-based derivation.
#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

const char* const prk = "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5";
const char* const okm = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";

struct Given {
  Bytes salt = hex("000102030405060708090a0b0c");
  Bytes info = hex("f0f1f2f3f4f5f6f7f8f9");
  CK_HKDF_PARAMS parameter(bool extract, bool expand) {
    return {extract, expand, CKM_SHA256, CKF_HKDF_SALT_DATA, salt.data(), salt.size(), 0, info.data(), info.size()};
  }
};

KeyRef input(bool sensitive = false) {
  return secret(CKK_GENERIC_SECRET, Bytes(22, 0x0b), sensitive);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hkdf)

BOOST_AUTO_TEST_CASE(known_answers) {
  Given given;
  RecordingHost host;
  auto both = given.parameter(true, true);
  BOOST_TEST(derived(CKM_HKDF_DERIVE, input(), parameter_of(both), host, 42) == okm);
  auto extract = given.parameter(true, false);
  BOOST_TEST(derived(CKM_HKDF_DERIVE, input(), parameter_of(extract), host) == prk);
  auto expand = given.parameter(false, true);
  BOOST_TEST(derived(CKM_HKDF_DERIVE, secret(CKK_HKDF, hex(prk)), parameter_of(expand), host, 42) == okm);
  auto no_salt = given.parameter(true, true);
  no_salt.ulSaltType = CKF_HKDF_SALT_NULL;
  no_salt.ulInfoLen = 0;
  BOOST_TEST(derived(CKM_HKDF_DERIVE, input(), parameter_of(no_salt), host, 42) ==
             "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  auto keyed = given.parameter(true, true);
  keyed.ulSaltType = CKF_HKDF_SALT_KEY;
  keyed.hSaltKey = 0;
  host.sources.push_back(secret(CKK_GENERIC_SECRET, given.salt));
  BOOST_TEST(derived(CKM_HKDF_DERIVE, input(), parameter_of(keyed), host, 42) == okm);
  keyed.hSaltKey = 7;
  BOOST_TEST(derived(CKM_HKDF_DERIVE, input(), parameter_of(keyed), host, 42) == "key_handle_invalid");
}

BOOST_AUTO_TEST_CASE(data_only_from_keys_that_may_be_known) {
  Given given;
  RecordingHost host;
  auto both = given.parameter(true, true);
  const auto data = [&](const KeyRef& key) {
    return derived(CKM_HKDF_DATA, key, parameter_of(both), host, 42, CKK_GENERIC_SECRET, CKO_DATA);
  };
  BOOST_TEST(data(input()) == okm);
  BOOST_TEST(data(input(true)) == "key_function_not_permitted");
  both.ulSaltType = CKF_HKDF_SALT_KEY;
  host.sources.push_back(secret(CKK_GENERIC_SECRET, given.salt, true));
  BOOST_TEST(data(input()) == "key_function_not_permitted");
  BOOST_TEST(derived(CKM_HKDF_DATA, input(), parameter_of(both), host, 42) == "template_inconsistent");
}

BOOST_AUTO_TEST_CASE(lengths) {
  Given given;
  RecordingHost host;
  auto both = given.parameter(true, true);
  const auto with = [&](std::optional<std::size_t> length, CK_KEY_TYPE type = CKK_GENERIC_SECRET) {
    return derived(CKM_HKDF_DERIVE, input(), parameter_of(both), host, length, type);
  };
  BOOST_TEST(with({}).size() == 64u);
  BOOST_TEST(with({}, CKK_CHACHA20).size() == 64u);
  BOOST_TEST(with({}, CKK_AES) == "template_incomplete");
  BOOST_TEST(with(0) == "key_size_range");
  BOOST_TEST(with(~0UL) == "key_size_range");
  auto extract = given.parameter(true, false);
  BOOST_TEST(derived(CKM_HKDF_DERIVE, input(), parameter_of(extract), host, 16) == "template_inconsistent");
}

BOOST_AUTO_TEST_CASE(all_255_blocks_and_no_byte_more) {
  Given given;
  RecordingHost host;
  for (const auto& [hash, size] : {std::pair{CKM_SHA_1, 20}, {CKM_SHA256, 32}, {CKM_SHA384, 48}, {CKM_SHA512, 64}}) {
    auto both = given.parameter(true, true);
    both.prfHashMechanism = hash;
    const std::size_t longest = 255 * static_cast<std::size_t>(size);
    BOOST_TEST(derived(CKM_HKDF_DERIVE, input(), parameter_of(both), host, longest).size() == 2 * longest);
    BOOST_TEST(derived(CKM_HKDF_DERIVE, input(), parameter_of(both), host, longest + 1) == "key_size_range");
  }
}

BOOST_AUTO_TEST_CASE(hostile_parameters) {
  RecordingHost host;
  const auto refused = [&](auto change) {
    Given given;
    auto parameter = given.parameter(true, true);
    change(parameter);
    BOOST_TEST(derived(CKM_HKDF_DERIVE, input(), parameter_of(parameter), host, 42) == "mechanism_param_invalid");
  };
  refused([](auto& p) { p.bExtract = p.bExpand = CK_FALSE; });
  refused([](auto& p) { p.prfHashMechanism = CKM_SHA256_HMAC; });
  refused([](auto& p) { p.ulSaltType = 3; });
  refused([](auto& p) { p.pSalt = nullptr; });
  refused([](auto& p) { p.ulSaltLen = ~0UL; });
  refused([](auto& p) { p.pInfo = nullptr; });
  refused([](auto& p) { p.ulInfoLen = ~0UL; });
  BOOST_TEST(derived(CKM_HKDF_DERIVE, input(), {}, host, 42) == "mechanism_param_invalid");
  Given given;
  auto parameter = given.parameter(true, true);
  BOOST_TEST(derived(CKM_HKDF_DERIVE, secret(CKK_AES, Bytes(16)), parameter_of(parameter), host, 42) ==
             "key_type_inconsistent");
}

BOOST_AUTO_TEST_CASE(digest_of_a_key) {
  RecordingHost host;
  const KeyRef abc = secret(CKK_GENERIC_SECRET, view_of("abc"));
  BOOST_TEST(derived(CKM_SHA256_KEY_DERIVATION, abc, {}, host) ==
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(derived(CKM_SHA256_KEY_DERIVATION, abc, {}, host, 16, CKK_AES) == "ba7816bf8f01cfea414140de5dae2223");
  BOOST_TEST(derived(CKM_SHA256_KEY_DERIVATION, abc, {}, host, 33) == "template_inconsistent");
}

BOOST_AUTO_TEST_SUITE_END()
