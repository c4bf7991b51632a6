// HMAC against RFC 2202 and RFC 4231 (test case 2) and against its own definition (RFC 2104) for every hash.
#include "mechanism/hmac.h"

#include "crypto/digest.h"
#include "mechanism/digest.h"
#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

Bytes signature(SignOperation& operation, ByteView data) {
  Bytes out(operation.size());
  const auto written = operation.single(data, out);
  BOOST_REQUIRE(written);
  out.resize(*written);
  return out;
}

Bytes joined(ByteView a, ByteView b) {
  Bytes both = to_bytes(a);
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

Bytes hash_of(Hash hash, ByteView data) {
  auto made = crypto::digest(hash, data);
  BOOST_REQUIRE(made);
  return *made;
}

/// RFC 2104, 2, written out.
Bytes hmac_by_definition(Hash hash, ByteView key, ByteView data) {
  Bytes block = key.size() > crypto::hash_block_size(hash) ? hash_of(hash, key) : to_bytes(key);
  block.resize(crypto::hash_block_size(hash));
  Bytes inner = block;
  Bytes outer = block;
  for (Byte& one : inner) one ^= 0x36;
  for (Byte& one : outer) one ^= 0x5c;
  return hash_of(hash, joined(outer, hash_of(hash, joined(inner, data))));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hmac)

BOOST_AUTO_TEST_CASE(known_answers) {
  const struct {
    CK_MECHANISM_TYPE mechanism;
    const char* mac;
  } examples[] = {
      {CKM_SHA_1_HMAC, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
      {CKM_SHA224_HMAC, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"},
      {CKM_SHA256_HMAC, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {CKM_SHA384_HMAC,
       "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"},
      {CKM_SHA512_HMAC,
       "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
       "caeab1a34d4a6b4b636e070a38bce737"},
  };
  const KeyRef key = secret(CKK_GENERIC_SECRET, view_of("Jefe"));
  for (const auto& example : examples) {
    auto signing = mechanism(example.mechanism).sign(key, {});
    BOOST_REQUIRE(signing);
    BOOST_TEST(to_hex(signature(**signing, view_of("what do ya want for nothing?"))) == example.mac);
  }
}

BOOST_AUTO_TEST_CASE(every_hash_by_definition_in_parts_and_again) {
  const Bytes data(300, 0x61);
  for (const HashMechanisms& hash : hash_mechanisms()) {
    for (const std::size_t size : {1, 20, 64, 200}) {
      const Bytes value(size, 0x0b);
      const KeyRef key = secret(hash.key_type, value);
      const std::string expected = to_hex(hmac_by_definition(hash.hash, value, data));
      // Twice: the second one runs on the context that the first one left.
      for (int round = 0; round < 2; ++round) {
        auto signing = mechanism(hash.hmac).sign(key, {});
        BOOST_REQUIRE(signing);
        for (std::size_t offset = 0; offset < data.size(); offset += 100) {
          BOOST_REQUIRE((*signing)->update(ByteView(data).subspan(offset, 100)));
        }
        Bytes mac((*signing)->size());
        BOOST_REQUIRE((*signing)->finish(mac));
        BOOST_TEST(to_hex(mac) == expected);
        auto verifying = mechanism(hash.hmac).verify(key, {});
        BOOST_REQUIRE(verifying);
        BOOST_TEST((*verifying)->single(data, mac).ok());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_operation_left_unfinished_does_not_disturb_the_next) {
  const KeyRef key = secret(CKK_GENERIC_SECRET, view_of("Jefe"));
  {
    auto left = mechanism(CKM_SHA256_HMAC).sign(key, {});
    BOOST_REQUIRE(left);
    BOOST_REQUIRE((*left)->update(view_of("something else")));
  }
  auto signing = mechanism(CKM_SHA256_HMAC).sign(key, {});
  BOOST_REQUIRE(signing);
  BOOST_TEST(to_hex(signature(**signing, view_of("what do ya want for nothing?"))) ==
             "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

BOOST_AUTO_TEST_CASE(general_length) {
  const KeyRef key = secret(CKK_SHA256_HMAC, view_of("Jefe"));
  CK_MAC_GENERAL_PARAMS size = 10;
  auto signing = mechanism(CKM_SHA256_HMAC_GENERAL).sign(key, parameter_of(size));
  BOOST_REQUIRE(signing);
  BOOST_TEST((*signing)->size() == 10u);
  const Bytes mac = signature(**signing, view_of("what do ya want for nothing?"));
  BOOST_TEST(to_hex(mac) == "5bdcc146bf60754e6a04");
  for (CK_MAC_GENERAL_PARAMS bad : {0UL, 33UL, ~0UL}) {
    BOOST_TEST(
        (mechanism(CKM_SHA256_HMAC_GENERAL).sign(key, parameter_of(bad)).code() == Code::mechanism_param_invalid));
  }
  BOOST_TEST((mechanism(CKM_SHA256_HMAC_GENERAL).sign(key, {}).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(refusals) {
  const KeyRef key = secret(CKK_GENERIC_SECRET, view_of("Jefe"));
  auto verifying = mechanism(CKM_SHA256_HMAC).verify(key, {});
  BOOST_REQUIRE(verifying);
  BOOST_TEST(((*verifying)->single(view_of("x"), Bytes(32)).code() == Code::signature_invalid));
  auto again = mechanism(CKM_SHA256_HMAC).verify(key, {});
  BOOST_REQUIRE(again);
  BOOST_TEST(((*again)->single(view_of("x"), Bytes(31)).code() == Code::signature_length));
  BOOST_TEST((mechanism(CKM_SHA256_HMAC).sign(secret(CKK_AES, Bytes(16)), {}).code() == Code::key_type_inconsistent));
  BOOST_TEST(
      (mechanism(CKM_SHA256_HMAC).sign(secret(CKK_SHA384_HMAC, Bytes(16)), {}).code() == Code::key_type_inconsistent));
  Bytes some(8);
  BOOST_TEST((mechanism(CKM_SHA256_HMAC).sign(key, parameter_of(some)).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(digest_operation_clones) {
  auto running = mechanism(CKM_SHA256).digest({});
  BOOST_REQUIRE(running);
  BOOST_REQUIRE((*running)->update(view_of("ab")));
  const DigestPtr copy = (*running)->clone();
  BOOST_REQUIRE(copy != nullptr);
  BOOST_REQUIRE(copy->update(view_of("c")));
  Bytes out(copy->size());
  BOOST_REQUIRE(copy->finish(out));
  BOOST_TEST(to_hex(out) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Bytes some(1);
  BOOST_TEST((mechanism(CKM_SHA256).digest(parameter_of(some)).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(key_generation) {
  AttributeSet wanted;
  const auto natural = mechanism(CKM_SHA256_KEY_GEN).generate_key({}, wanted);
  BOOST_REQUIRE(natural);
  BOOST_TEST(natural->size() == 32u);
  BOOST_TEST((mechanism(CKM_GENERIC_SECRET_KEY_GEN).generate_key({}, wanted).code() == Code::template_incomplete));
  wanted.set_ulong(CKA_VALUE_LEN, 5);
  const auto five = mechanism(CKM_GENERIC_SECRET_KEY_GEN).generate_key({}, wanted);
  BOOST_REQUIRE(five);
  BOOST_TEST(five->size() == 5u);
  wanted.set_ulong(CKA_VALUE_LEN, ~0UL);
  BOOST_TEST((mechanism(CKM_GENERIC_SECRET_KEY_GEN).generate_key({}, wanted).code() == Code::key_size_range));
}

BOOST_AUTO_TEST_SUITE_END()
