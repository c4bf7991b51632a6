// ChaCha20 and ChaCha20-Poly1305 against RFC 8439, 2.4.2 and 2.8.2.
#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

const std::string_view sunscreen =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
    "it.";

}  // namespace

BOOST_AUTO_TEST_SUITE(chacha20)

BOOST_AUTO_TEST_CASE(cipher) {
  const KeyRef key = secret(CKK_CHACHA20, hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
  Bytes counter = hex("01000000");
  Bytes nonce = hex("000000000000004a00000000");
  CK_CHACHA20_PARAMS parameter{counter.data(), 32, nonce.data(), 96};
  check_cipher(CKM_CHACHA20, key, parameter_of(parameter), view_of(sunscreen),
               hex("6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b357"
                   "1639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
                   "5af90bbf74a35be6b40b8eedf2785e42874d"));
  // As first published, the same state reads as a 64-bit counter and a 64-bit nonce.
  Bytes wide_counter = hex("0100000000000000");
  Bytes short_nonce = hex("0000004a00000000");
  CK_CHACHA20_PARAMS original{wide_counter.data(), 64, short_nonce.data(), 64};
  auto same = mechanism(CKM_CHACHA20).encrypt(key, parameter_of(original));
  BOOST_REQUIRE(same);
  BOOST_TEST(shown(in_one_part(**same, view_of(sunscreen))).substr(0, 16) == "6e2e359a2568f980");
}

BOOST_AUTO_TEST_CASE(counter_does_not_run_over) {
  const KeyRef key = secret(CKK_CHACHA20, Bytes(32));
  Bytes counter = hex("ffffffff");
  Bytes nonce(12);
  CK_CHACHA20_PARAMS parameter{counter.data(), 32, nonce.data(), 96};
  auto fits = mechanism(CKM_CHACHA20).encrypt(key, parameter_of(parameter));
  BOOST_REQUIRE(fits);
  BOOST_TEST(in_one_part(**fits, Bytes(64)).ok());
  auto exceeds = mechanism(CKM_CHACHA20).encrypt(key, parameter_of(parameter));
  BOOST_REQUIRE(exceeds);
  BOOST_TEST(shown(in_one_part(**exceeds, Bytes(65))) == "data_length");
}

BOOST_AUTO_TEST_CASE(hostile_parameters) {
  const KeyRef key = secret(CKK_CHACHA20, Bytes(32));
  Bytes some(24);
  const CK_CHACHA20_PARAMS bad[] = {{nullptr, 32, some.data(), 96},      {some.data(), 32, nullptr, 96},
                                    {some.data(), 32, some.data(), 64},  {some.data(), 64, some.data(), 96},
                                    {some.data(), 64, some.data(), 192}, {some.data(), ~0UL, some.data(), ~0UL}};
  for (CK_CHACHA20_PARAMS one : bad) {
    BOOST_TEST((mechanism(CKM_CHACHA20).encrypt(key, parameter_of(one)).code() == Code::mechanism_param_invalid));
  }
  CK_SALSA20_CHACHA20_POLY1305_PARAMS aead{some.data(), 64, nullptr, 0};
  BOOST_TEST(
      (mechanism(CKM_CHACHA20_POLY1305).encrypt(key, parameter_of(aead)).code() == Code::mechanism_param_invalid));
  aead = {some.data(), 96, nullptr, 5};
  BOOST_TEST(
      (mechanism(CKM_CHACHA20_POLY1305).encrypt(key, parameter_of(aead)).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(poly1305) {
  const KeyRef key = secret(CKK_CHACHA20, hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"));
  Bytes nonce = hex("070000004041424344454647");
  Bytes associated_data = hex("50515253c0c1c2c3c4c5c6c7");
  const std::string encrypted =
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
      "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
      "3ff4def08e4b7a9de576d26586cec64b6116";
  const std::string tag = "1ae10b594f09e26a7e902ecbd0600691";
  for (const CK_ULONG length : {96, 12}) {
    CK_SALSA20_CHACHA20_POLY1305_PARAMS parameter{nonce.data(), length, associated_data.data(), associated_data.size()};
    check_cipher(CKM_CHACHA20_POLY1305, key, parameter_of(parameter), view_of(sunscreen), hex(encrypted + tag));
  }
  Bytes given_tag(16);
  CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS message{nonce.data(), 96, given_tag.data()};
  auto messages = mechanism(CKM_CHACHA20_POLY1305).message_encrypt(key, {});
  BOOST_REQUIRE(messages);
  BOOST_REQUIRE((*messages)->begin(&message, sizeof(message), associated_data));
  Bytes out(sunscreen.size());
  BOOST_REQUIRE((*messages)->next(&message, sizeof(message), view_of(sunscreen), out, true));
  BOOST_TEST(to_hex(out) == encrypted);
  BOOST_TEST(to_hex(given_tag) == tag);
}

BOOST_AUTO_TEST_SUITE_END()
