// AES key wrap against RFC 3394, 4 and RFC 5649, 6, and what is refused.
#include "cryptoki/nss.h"
#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

const char* const kek = "000102030405060708090a0b0c0d0e0f";
const char* const kwp_kek = "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8";

std::string wrapped(CK_MECHANISM_TYPE type, const char* key, ByteView material, Parameter parameter = {}) {
  return shown(mechanism(type).wrap(secret(CKK_AES, hex(key)), parameter, material, {}));
}

std::string unwrapped(CK_MECHANISM_TYPE type, const char* key, ByteView data, Parameter parameter = {}) {
  const auto result = mechanism(type).unwrap(secret(CKK_AES, hex(key)), parameter, data, {});
  return result ? to_hex(result->view()) : std::string(name(result.code()));
}

std::string encrypted(CK_MECHANISM_TYPE type, const char* key, ByteView data) {
  auto started = mechanism(type).encrypt(secret(CKK_AES, hex(key)), {});
  BOOST_REQUIRE(started);
  BOOST_TEST(!(*started)->multi_part());
  return shown(in_one_part(**started, data, true));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(aes_wrap)

BOOST_AUTO_TEST_CASE(known_answers) {
  const char* const material = "00112233445566778899aabbccddeeff";
  const char* const wrapped_128 = "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5";
  BOOST_TEST(wrapped(CKM_AES_KEY_WRAP, kek, hex(material)) == wrapped_128);
  BOOST_TEST(wrapped(CKM_NSS_AES_KEY_WRAP, kek, hex(material)) == wrapped_128);
  BOOST_TEST(unwrapped(CKM_AES_KEY_WRAP, kek, hex(wrapped_128)) == material);
  BOOST_TEST(encrypted(CKM_AES_KEY_WRAP, kek, hex(material)) == wrapped_128);

  const char* const twenty = "c37b7e6492584340bed12207808941155068f738";
  const char* const twenty_wrapped = "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a";
  BOOST_TEST(wrapped(CKM_AES_KEY_WRAP_KWP, kwp_kek, hex(twenty)) == twenty_wrapped);
  BOOST_TEST(unwrapped(CKM_AES_KEY_WRAP_KWP, kwp_kek, hex(twenty_wrapped)) == twenty);
  BOOST_TEST(encrypted(CKM_AES_KEY_WRAP_KWP, kwp_kek, hex(twenty)) == twenty_wrapped);
  BOOST_TEST(wrapped(CKM_AES_KEY_WRAP_KWP, kwp_kek, hex("466f7250617369")) == "afbeb0f07dfbf5419200f2ccb50bb24f");
  BOOST_TEST(unwrapped(CKM_AES_KEY_WRAP_KWP, kwp_kek, hex("afbeb0f07dfbf5419200f2ccb50bb24f")) == "466f7250617369");
}

BOOST_AUTO_TEST_CASE(every_length_comes_back) {
  for (std::size_t size = 8; size < 60; ++size) {
    Bytes material(size);
    for (std::size_t i = 0; i < size; ++i) material[i] = static_cast<Byte>(i + 1);
    for (const CK_MECHANISM_TYPE type : {CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PKCS7, CKM_AES_KEY_WRAP_PAD}) {
      Bytes sealed;
      BOOST_REQUIRE(from_hex(wrapped(type, kek, material), sealed));
      BOOST_TEST(sealed.size() > size);
      BOOST_TEST(unwrapped(type, kek, sealed) == to_hex(material));
    }
    // CKM_AES_KEY_WRAP fills up with zeros.
    Bytes sealed;
    BOOST_REQUIRE(from_hex(wrapped(CKM_AES_KEY_WRAP, kek, material), sealed));
    material.resize(std::max<std::size_t>(16, (size + 7) / 8 * 8));
    BOOST_TEST(unwrapped(CKM_AES_KEY_WRAP, kek, sealed) == to_hex(material));
  }
}

BOOST_AUTO_TEST_CASE(initial_value) {
  const Bytes material(16, 7);
  Bytes own = hex("0102030405060708");
  Bytes sealed;
  BOOST_REQUIRE(from_hex(wrapped(CKM_AES_KEY_WRAP, kek, material, parameter_of(own)), sealed));
  BOOST_TEST(unwrapped(CKM_AES_KEY_WRAP, kek, sealed, parameter_of(own)) == to_hex(material));
  BOOST_TEST(unwrapped(CKM_AES_KEY_WRAP, kek, sealed) == "encrypted_data_invalid");
  Bytes four = hex("01020304");
  BOOST_TEST(wrapped(CKM_AES_KEY_WRAP, kek, material, parameter_of(four)) == "mechanism_param_invalid");
  BOOST_REQUIRE(from_hex(wrapped(CKM_AES_KEY_WRAP_KWP, kek, material, parameter_of(four)), sealed));
  BOOST_TEST(unwrapped(CKM_AES_KEY_WRAP_KWP, kek, sealed, parameter_of(four)) == to_hex(material));
  BOOST_TEST(unwrapped(CKM_AES_KEY_WRAP_KWP, kek, sealed) == "encrypted_data_invalid");
}

BOOST_AUTO_TEST_CASE(an_own_initial_value_does_not_stick_to_the_key) {
  const KeyRef key = secret(CKK_AES, hex(kek));
  Bytes own = hex("0102030405060708");
  BOOST_REQUIRE(mechanism(CKM_AES_KEY_WRAP).wrap(key, parameter_of(own), Bytes(16), {}));
  BOOST_TEST(shown(mechanism(CKM_AES_KEY_WRAP).wrap(key, {}, hex("00112233445566778899aabbccddeeff"), {})) ==
             "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
}

BOOST_AUTO_TEST_CASE(refusals) {
  for (const CK_MECHANISM_TYPE type : {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PKCS7}) {
    for (const std::size_t size : {0, 8, 15, 25, 31}) {
      BOOST_TEST(unwrapped(type, kek, Bytes(size)) == "encrypted_data_length");
    }
    BOOST_TEST(unwrapped(type, kek, Bytes(24)) == "encrypted_data_invalid");
    BOOST_TEST(mechanism(type).wraps_sensitive_keys({}, false));
    Bytes chosen(8);
    BOOST_TEST(!mechanism(type).wraps_sensitive_keys(parameter_of(chosen), false));
    BOOST_TEST(!mechanism(type).wrap(secret(CKK_AES, Bytes(16)), {}, Bytes(16), ByteView{}).ok());
  }
  BOOST_TEST(encrypted(CKM_AES_KEY_WRAP, kek, Bytes(20)) == "data_length");
  BOOST_TEST(encrypted(CKM_AES_KEY_WRAP, kek, Bytes(8)) == "data_length");
  BOOST_TEST(encrypted(CKM_AES_KEY_WRAP_KWP, kek, Bytes(0)) == "data_length");
}

BOOST_AUTO_TEST_CASE(padded_cbc_wraps_but_is_not_safe) {
  Bytes iv(16, 9);
  Bytes sealed;
  BOOST_REQUIRE(from_hex(wrapped(CKM_AES_CBC_PAD, kek, Bytes(16, 3), parameter_of(iv)), sealed));
  BOOST_TEST(unwrapped(CKM_AES_CBC_PAD, kek, sealed, parameter_of(iv)) == to_hex(Bytes(16, 3)));
  BOOST_TEST(!mechanism(CKM_AES_CBC_PAD).wraps_sensitive_keys(parameter_of(iv), false));
  BOOST_TEST((mechanism(CKM_AES_CBC).info().flags & CKF_WRAP) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
