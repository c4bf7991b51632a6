// AES-CMAC against RFC 4493, 4; GMAC against GCM with associated data only.
#include <algorithm>

#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

const char* const message =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

KeyRef key() {
  return secret(CKK_AES, hex("2b7e151628aed2a6abf7158809cf4f3c"));
}

std::string signature(Result<SignPtr> signing, ByteView data, std::size_t step) {
  BOOST_REQUIRE(signing);
  for (std::size_t offset = 0; offset < data.size(); offset += step) {
    BOOST_REQUIRE((*signing)->update(data.subspan(offset, std::min(step, data.size() - offset))));
  }
  Bytes out((*signing)->size());
  const auto written = (*signing)->finish(out);
  BOOST_REQUIRE(written);
  return to_hex(ByteView(out).first(*written));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(aes_mac)

BOOST_AUTO_TEST_CASE(cmac_known_answers) {
  const struct {
    std::size_t size;
    const char* mac;
  } examples[] = {{0, "bb1d6929e95937287fa37d129b756746"},
                  {16, "070a16b46b4d4144f79bdd9dd04a287c"},
                  {40, "dfa66747de9ae63030ca32611497c827"},
                  {64, "51f0bebf7e3b9d92fc49741779363cfe"}};
  const KeyRef one_key = key();
  for (const auto& example : examples) {
    const Bytes data = to_bytes(ByteView(hex(message)).first(example.size));
    for (const std::size_t step : {1, 7, 64}) {
      BOOST_TEST(signature(mechanism(CKM_AES_CMAC).sign(one_key, {}), data, step) == example.mac);
    }
    auto verifying = mechanism(CKM_AES_CMAC).verify(one_key, {});
    BOOST_REQUIRE(verifying);
    BOOST_TEST((*verifying)->single(data, hex(example.mac)).ok());
  }
}

BOOST_AUTO_TEST_CASE(cmac_of_general_length) {
  CK_MAC_GENERAL_PARAMS size = 5;
  BOOST_TEST(signature(mechanism(CKM_AES_CMAC_GENERAL).sign(key(), parameter_of(size)), {}, 1) == "bb1d6929e9");
  for (CK_MAC_GENERAL_PARAMS bad : {0UL, 17UL}) {
    BOOST_TEST(
        (mechanism(CKM_AES_CMAC_GENERAL).sign(key(), parameter_of(bad)).code() == Code::mechanism_param_invalid));
  }
  BOOST_TEST((mechanism(CKM_AES_CMAC).sign(secret(CKK_AES, Bytes(15)), {}).code() == Code::key_size_range));
  BOOST_TEST(
      (mechanism(CKM_AES_CMAC).sign(secret(CKK_GENERIC_SECRET, Bytes(16)), {}).code() == Code::key_type_inconsistent));
}

BOOST_AUTO_TEST_CASE(gmac_is_the_tag_of_associated_data) {
  Bytes iv = hex("cafebabefacedbaddecaf888");
  Bytes data = hex(message);
  CK_GCM_PARAMS whole{iv.data(), iv.size(), 0, data.data(), data.size(), 128};
  auto encryption = mechanism(CKM_AES_GCM).encrypt(key(), parameter_of(whole));
  BOOST_REQUIRE(encryption);
  const std::string tag = shown(in_one_part(**encryption, {}));
  CK_GCM_PARAMS parameter{iv.data(), iv.size(), 0, nullptr, 0, 128};
  for (const std::size_t step : {1, 13, 64}) {
    BOOST_TEST(signature(mechanism(CKM_AES_GMAC).sign(key(), parameter_of(parameter)), data, step) == tag);
  }
  auto verifying = mechanism(CKM_AES_GMAC).verify(key(), parameter_of(parameter));
  BOOST_REQUIRE(verifying);
  BOOST_TEST((*verifying)->single(data, hex(tag)).ok());
  auto wrong = mechanism(CKM_AES_GMAC).verify(key(), parameter_of(parameter));
  BOOST_REQUIRE(wrong);
  BOOST_TEST(((*wrong)->single(data, Bytes(16)).code() == Code::signature_invalid));
  auto shorter = mechanism(CKM_AES_GMAC).verify(key(), parameter_of(parameter));
  BOOST_REQUIRE(shorter);
  BOOST_TEST(((*shorter)->single(data, Bytes(12)).code() == Code::signature_length));
  BOOST_TEST((mechanism(CKM_AES_GMAC).sign(key(), parameter_of(whole)).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(gmac_signs_one_message_with_an_iv) {
  Bytes iv(12);
  CK_GCM_PARAMS parameter{iv.data(), iv.size(), 0, nullptr, 0, 128};
  BOOST_TEST((mechanism(CKM_AES_GMAC).keep(parameter_of(parameter)).code() == Code::mechanism_invalid));
}

BOOST_AUTO_TEST_SUITE_END()
