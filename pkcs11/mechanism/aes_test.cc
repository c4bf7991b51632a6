// AES modes against SP 800-38A, its addendum for CBC-CS1, IEEE 1619 and the GCM specification, and what they refuse.
#include <algorithm>

#include "mechanism/aes.h"

#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

const char* const key128 = "2b7e151628aed2a6abf7158809cf4f3c";
const char* const key256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
const char* const plain =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
const char* const counting_iv = "000102030405060708090a0b0c0d0e0f";

struct Vector {
  CK_MECHANISM_TYPE mechanism;
  const char* key;
  const char* iv;
  const char* plain;
  const char* encrypted;
};

const Vector vectors[] = {
    {CKM_AES_ECB, key128, "", plain,
     "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
     "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4"},
    {CKM_AES_ECB, key256, "", plain,
     "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
     "b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7"},
    {CKM_AES_CBC, key128, counting_iv, plain,
     "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
     "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"},
    {CKM_AES_CFB128, key128, counting_iv, plain,
     "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"
     "26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6"},
    {CKM_AES_CFB8, key128, counting_iv, "6bc1bee22e409f96e93d7e117393172aae2d", "3b79424c9c0dd436bace9e0ed4586a4f32b9"},
    {CKM_AES_OFB, key128, counting_iv, plain,
     "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825"
     "9740051e9c5fecf64344f7a82260edcc304c6528f659c77866a510d9c1d6ae5e"},
    // RFC 3962, appendix B gives CS3; CS1 has the last two blocks the other way round.
    {CKM_AES_CTS, "636869636b656e207465726979616b69", "00000000000000000000000000000000",
     "4920776f756c64206c696b652074686520", "97c6353568f2bf8cb4d8a580362da7ff7f"},
};

Result<CipherPtr> encrypting(CK_MECHANISM_TYPE type, const KeyRef& key, Parameter parameter) {
  return mechanism(type).encrypt(key, parameter);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(aes)

BOOST_AUTO_TEST_CASE(known_answers) {
  for (const Vector& one : vectors) {
    Bytes iv = hex(one.iv);
    check_cipher(one.mechanism, secret(CKK_AES, hex(one.key)), parameter_of(iv), hex(one.plain), hex(one.encrypted));
  }
}

BOOST_AUTO_TEST_CASE(counter_mode) {
  CK_AES_CTR_PARAMS counter{128, {}};
  const Bytes start = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  std::copy(start.begin(), start.end(), counter.cb);
  check_cipher(CKM_AES_CTR, secret(CKK_AES, hex(key128)), parameter_of(counter), hex(plain),
               hex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
                   "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"));
}

BOOST_AUTO_TEST_CASE(counter_bits_do_not_run_over) {
  const KeyRef key = secret(CKK_AES, hex(key128));
  // PKCS#11 3.2, CK_AES_CTR_PARAMS: two bits that start at 1 leave three blocks.
  struct {
    CK_ULONG bits;
    const char* block;
    std::size_t limit;
  } const cases[] = {{2, "00000000000000000000000000000001", 48},   {8, "000000000000000000000000000000ff", 16},
                     {8, "ffffffffffffffffffffffffffffff00", 4096}, {64, "0000000000000000ffffffffffffffff", 16},
                     {65, "0000000000000001fffffffffffffffe", 32},  {128, "ffffffffffffffffffffffffffffffff", 16}};
  for (const auto& one : cases) {
    CK_AES_CTR_PARAMS counter{one.bits, {}};
    const Bytes start = hex(one.block);
    std::copy(start.begin(), start.end(), counter.cb);
    auto fits = encrypting(CKM_AES_CTR, key, parameter_of(counter));
    BOOST_REQUIRE(fits);
    BOOST_TEST(in_one_part(**fits, Bytes(one.limit)).ok());
    auto exceeds = encrypting(CKM_AES_CTR, key, parameter_of(counter));
    BOOST_REQUIRE(exceeds);
    BOOST_TEST(shown(in_parts(**exceeds, Bytes(one.limit + 1), 7)) == "data_length");
  }
  for (const CK_ULONG bits : {0UL, 129UL, ~0UL}) {
    CK_AES_CTR_PARAMS counter{bits, {}};
    BOOST_TEST((encrypting(CKM_AES_CTR, key, parameter_of(counter)).code() == Code::mechanism_param_invalid));
  }
}

BOOST_AUTO_TEST_CASE(padding) {
  const KeyRef key = secret(CKK_AES, hex(key128));
  Bytes iv = hex(counting_iv);
  for (std::size_t size = 0; size < 50; ++size) {
    const Bytes message(size, 0x5a);
    auto encryption = encrypting(CKM_AES_CBC_PAD, key, parameter_of(iv));
    BOOST_REQUIRE(encryption);
    const auto encrypted = in_one_part(**encryption, message);
    BOOST_REQUIRE(encrypted);
    BOOST_TEST(encrypted->size() == (size / 16 + 1) * 16);
    check_cipher(CKM_AES_CBC_PAD, key, parameter_of(iv), message, *encrypted);
  }
}

BOOST_AUTO_TEST_CASE(wrong_lengths_and_padding) {
  const KeyRef key = secret(CKK_AES, hex(key128));
  Bytes iv = hex(counting_iv);
  const auto decrypted = [&](CK_MECHANISM_TYPE type, ByteView input) {
    auto started = mechanism(type).decrypt(key, type == CKM_AES_ECB ? Parameter() : parameter_of(iv));
    BOOST_REQUIRE(started);
    return shown(in_one_part(**started, input));
  };
  BOOST_TEST(decrypted(CKM_AES_ECB, Bytes(15)) == "encrypted_data_length");
  BOOST_TEST(decrypted(CKM_AES_CBC, Bytes(17)) == "encrypted_data_length");
  BOOST_TEST(decrypted(CKM_AES_CTS, Bytes(15)) == "encrypted_data_length");
  BOOST_TEST(decrypted(CKM_AES_CBC_PAD, Bytes(0)) == "encrypted_data_length");
  BOOST_TEST(decrypted(CKM_AES_CBC_PAD, Bytes(17)) == "encrypted_data_length");
  BOOST_TEST(decrypted(CKM_AES_CBC_PAD, Bytes(16)) == "encrypted_data_invalid");
  auto started = encrypting(CKM_AES_CBC, key, parameter_of(iv));
  BOOST_REQUIRE(started);
  BOOST_TEST(shown(in_parts(**started, Bytes(33), 5)) == "data_length");
}

BOOST_AUTO_TEST_CASE(wrong_keys_and_parameters) {
  Bytes iv = hex(counting_iv);
  Bytes shorter(15);
  const KeyRef key = secret(CKK_AES, hex(key128));
  for (const CK_MECHANISM_TYPE type : {CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CTS, CKM_AES_OFB, CKM_AES_CFB8}) {
    BOOST_TEST((encrypting(type, key, parameter_of(shorter)).code() == Code::mechanism_param_invalid));
    BOOST_TEST((encrypting(type, key, Parameter(nullptr, 16)).code() == Code::mechanism_param_invalid));
    BOOST_TEST((encrypting(type, secret(CKK_GENERIC_SECRET, hex(key128)), parameter_of(iv)).code() ==
                Code::key_type_inconsistent));
    BOOST_TEST((encrypting(type, secret(CKK_AES, Bytes(17)), parameter_of(iv)).code() == Code::key_size_range));
  }
  BOOST_TEST((encrypting(CKM_AES_ECB, key, parameter_of(iv)).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(xts) {
  Bytes tweak = hex("33333333330000000000000000000000");
  const KeyRef key = secret(CKK_AES_XTS, hex("1111111111111111111111111111111122222222222222222222222222222222"));
  check_cipher(CKM_AES_XTS, key, parameter_of(tweak), Bytes(32, 0x44),
               hex("c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0"));
  const KeyRef equal_halves = secret(CKK_AES_XTS, Bytes(32, 0x11));
  BOOST_TEST((encrypting(CKM_AES_XTS, equal_halves, parameter_of(tweak)).code() == Code::key_size_range));
  BOOST_TEST((mechanism(CKM_AES_XTS).decrypt(equal_halves, parameter_of(tweak)).code() == Code::key_size_range));
  auto started = encrypting(CKM_AES_XTS, key, parameter_of(tweak));
  BOOST_REQUIRE(started);
  BOOST_TEST(shown(in_one_part(**started, Bytes(15))) == "data_length");
}

BOOST_AUTO_TEST_CASE(key_generation) {
  AttributeSet wanted;
  BOOST_TEST((mechanism(CKM_AES_KEY_GEN).generate_key({}, wanted).code() == Code::template_incomplete));
  for (const std::size_t size : {16, 24, 32}) {
    wanted.set_ulong(CKA_VALUE_LEN, size);
    const auto made = mechanism(CKM_AES_KEY_GEN).generate_key({}, wanted);
    BOOST_REQUIRE(made);
    BOOST_TEST(made->size() == size);
  }
  for (const std::size_t size : {0, 8, 17, 33, 64}) {
    wanted.set_ulong(CKA_VALUE_LEN, size);
    BOOST_TEST((mechanism(CKM_AES_KEY_GEN).generate_key({}, wanted).code() == Code::key_size_range));
  }
  BOOST_TEST(mechanism(CKM_AES_XTS_KEY_GEN).generate_key({}, wanted).ok());
}

BOOST_AUTO_TEST_SUITE_END()
