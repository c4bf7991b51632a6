// Digests of "abc": the examples of FIPS 180-4, FIPS 202 and RFC 7693; the shorter BLAKE2b by Python's hashlib.
// hashlib.
#include "crypto/digest.h"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace cardea;

namespace {

struct Example {
  Hash hash;
  const char* digest_of_abc;
};

const Example examples[] = {
    {Hash::sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {Hash::sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
    {Hash::sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {Hash::sha384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {Hash::sha512,
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2"
     "a"
     "9ac94fa54ca49f"},
    {Hash::sha512_224, "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"},
    {Hash::sha512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"},
    {Hash::sha3_224, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"},
    {Hash::sha3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    {Hash::sha3_384,
     "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25"},
    {Hash::sha3_512,
     "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56"
     "5"
     "92f8274eec53f0"},
    {Hash::blake2b_160, "384264f676f39536840523f284921cdc68b6846b"},
    {Hash::blake2b_256, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"},
    {Hash::blake2b_384,
     "6f56a82c8e7ef526dfe182eb5212f7db9df1317e57815dbda46083fc30f54ee6c66ba83be64b302d7cba6ce15bb556f4"},
    {Hash::blake2b_512,
     "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab"
     "92386edd4009923"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(digests)

BOOST_AUTO_TEST_CASE(examples_of_the_standards) {
  for (const Example& example : examples) {
    const auto made = crypto::digest(example.hash, view_of("abc"));
    BOOST_REQUIRE(made);
    BOOST_TEST(to_hex(*made) == example.digest_of_abc);
    BOOST_TEST(made->size() == crypto::hash_size(example.hash));
  }
}

BOOST_AUTO_TEST_CASE(a_clone_goes_its_own_way) {
  auto first = crypto::Digest::make(Hash::sha256);
  BOOST_REQUIRE(first);
  BOOST_REQUIRE(first->update(view_of("ab")));
  auto second = first->clone();
  BOOST_REQUIRE(second);
  BOOST_REQUIRE(first->update(view_of("x")));
  BOOST_REQUIRE(second->update(view_of("c")));
  Bytes a(32);
  Bytes b(32);
  BOOST_REQUIRE(first->finish(a));
  BOOST_REQUIRE(second->finish(b));
  BOOST_TEST(to_hex(b) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(to_hex(a) != to_hex(b));
  BOOST_REQUIRE(first->restart());
  BOOST_REQUIRE(first->update(view_of("abc")));
  BOOST_REQUIRE(first->finish(a));
  BOOST_TEST(to_hex(a) == to_hex(b));
}

BOOST_AUTO_TEST_CASE(shake_answers_its_fixed_length) {
  const auto made = crypto::digest(Hash::shake128, {});
  BOOST_REQUIRE(made);
  BOOST_TEST(to_hex(*made) == "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
}

BOOST_AUTO_TEST_CASE(refusals) {
  BOOST_TEST(!crypto::Digest::make(Hash::none));
  auto running = crypto::Digest::make(Hash::sha256);
  BOOST_REQUIRE(running);
  Bytes shorter(31);
  BOOST_TEST((running->finish(shorter).code() == Code::buffer_too_small));
}

BOOST_AUTO_TEST_SUITE_END()
