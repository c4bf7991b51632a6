// Sealing: test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), and what must not open.
#include "crypto/aead.h"

#include <boost/test/unit_test.hpp>

#include "base/testing.h"
#include "crypto/random.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

const char* const key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
const char* const nonce = "cafebabefacedbaddecaf888";
const char* const associated = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const char* const plain =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
    "ba637b39";
const char* const sealed =
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
    "bcc9f66276fc6ece0f4e1768cddf8853bb2d551b";

}  // namespace

BOOST_AUTO_TEST_SUITE(aead)

BOOST_AUTO_TEST_CASE(known_answer) {
  const auto made = crypto::aead_seal(hex(key), hex(nonce), hex(associated), hex(plain));
  BOOST_REQUIRE(made);
  BOOST_TEST(to_hex(*made) == sealed);
  const auto opened = crypto::aead_open(hex(key), hex(nonce), hex(associated), *made);
  BOOST_REQUIRE(opened);
  BOOST_TEST(to_hex(opened->view()) == plain);
}

BOOST_AUTO_TEST_CASE(any_change_is_noticed) {
  const Bytes good = hex(sealed);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    BOOST_TEST((crypto::aead_open(hex(key), hex(nonce), hex(associated), bad).code() == Code::aead_decrypt_failed));
  }
  BOOST_TEST(!crypto::aead_open(hex(key), hex(nonce), {}, good));
  BOOST_TEST(!crypto::aead_open(hex(key), hex(nonce), hex(associated), ByteView(good).first(15)));
  BOOST_TEST(!crypto::aead_open(hex(key), hex("00"), hex(associated), good));
  BOOST_TEST(!crypto::aead_open(hex("00"), hex(nonce), hex(associated), good));
}

BOOST_AUTO_TEST_CASE(nothing_to_seal) {
  const auto made = crypto::aead_seal(hex(key), hex(nonce), {}, {});
  BOOST_REQUIRE(made);
  BOOST_TEST(made->size() == crypto::aead_tag_size);
  const auto opened = crypto::aead_open(hex(key), hex(nonce), {}, *made);
  BOOST_REQUIRE(opened);
  BOOST_TEST(opened->empty());
}

BOOST_AUTO_TEST_CASE(random_bytes_differ) {
  Bytes a(32);
  Bytes b(32);
  BOOST_REQUIRE(crypto::random_bytes(a));
  BOOST_REQUIRE(crypto::stir_random(Bytes(10000, 7)));
  BOOST_REQUIRE(crypto::random_bytes(b));
  BOOST_TEST(a != b);
  BOOST_TEST(crypto::random_bytes({}).ok());
}

BOOST_AUTO_TEST_SUITE_END()
