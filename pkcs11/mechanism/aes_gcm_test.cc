// AES-GCM: test case 16 of the GCM specification, message-based use, wrapping, and what is refused.
#include "mechanism/aes_aead.h"

#include <algorithm>
#include <array>
#include <set>

#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

const char* const key_text = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
const char* const plain =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
    "ba637b39";
const char* const encrypted =
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
    "bcc9f662";
const char* const tag_text = "76fc6ece0f4e1768cddf8853bb2d551b";

struct Given {
  Bytes iv = hex("cafebabefacedbaddecaf888");
  Bytes associated_data = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  Bytes tag = Bytes(16);
  CK_GCM_PARAMS plain_parameter() {
    return {iv.data(), iv.size(), 0, associated_data.data(), associated_data.size(), 128};
  }
  CK_GCM_MESSAGE_PARAMS message_parameter(CK_GENERATOR_FUNCTION generator = CKG_NO_GENERATE, CK_ULONG fixed = 0) {
    return {iv.data(), iv.size(), fixed, generator, tag.data(), 128};
  }
  CK_GCM_WRAP_PARAMS wrap_parameter(CK_GENERATOR_FUNCTION generator, CK_ULONG fixed = 0) {
    return {iv.data(), iv.size(), fixed, generator, associated_data.data(), associated_data.size(), 128};
  }
};

const Mechanism& gcm() {
  return mechanism(CKM_AES_GCM);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(aes_gcm)

BOOST_AUTO_TEST_CASE(known_answer) {
  Given given;
  auto parameter = given.plain_parameter();
  check_cipher(CKM_AES_GCM, secret(CKK_AES, hex(key_text)), parameter_of(parameter), hex(plain),
               hex(std::string(encrypted) + tag_text));
  parameter.ulTagBits = 96;
  check_cipher(CKM_AES_GCM, secret(CKK_AES, hex(key_text)), parameter_of(parameter), hex(plain),
               hex((std::string(encrypted) + tag_text).substr(0, 2 * (60 + 12))));
}

BOOST_AUTO_TEST_CASE(older_parameter_without_iv_bits) {
  Given given;
  struct {
    CK_BYTE_PTR iv;
    CK_ULONG iv_size;
    CK_BYTE_PTR associated_data;
    CK_ULONG associated_data_size;
    CK_ULONG tag_bits;
  } older{given.iv.data(), given.iv.size(), given.associated_data.data(), given.associated_data.size(), 128};
  check_cipher(CKM_AES_GCM, secret(CKK_AES, hex(key_text)), parameter_of(older), hex(plain),
               hex(std::string(encrypted) + tag_text));
}

BOOST_AUTO_TEST_CASE(iv_of_any_length_and_context_reuse) {
  const KeyRef key = secret(CKK_AES, hex(key_text));
  for (const std::size_t size : {1, 8, 12, 16, 60, 128, 12, 7, 12}) {
    Given given;
    given.iv = Bytes(size, 0x31);
    auto parameter = given.plain_parameter();
    auto encryption = gcm().encrypt(key, parameter_of(parameter));
    BOOST_REQUIRE(encryption);
    const auto sealed = in_one_part(**encryption, hex(plain));
    BOOST_REQUIRE(sealed);
    check_cipher(CKM_AES_GCM, key, parameter_of(parameter), hex(plain), *sealed);
  }
}

BOOST_AUTO_TEST_CASE(no_plaintext_without_the_right_tag) {
  Given given;
  const KeyRef key = secret(CKK_AES, hex(key_text));
  auto parameter = given.plain_parameter();
  Bytes bad = hex(std::string(encrypted) + tag_text);
  bad.back() ^= 1;
  auto whole = gcm().decrypt(key, parameter_of(parameter));
  BOOST_REQUIRE(whole);
  Bytes out(bad.size(), 0xee);
  BOOST_TEST(((*whole)->single(bad, out).code() == Code::aead_decrypt_failed));
  BOOST_TEST(to_hex(ByteView(out).first(60)) == to_hex(Bytes(60)));
  auto parts = gcm().decrypt(key, parameter_of(parameter));
  BOOST_REQUIRE(parts);
  BOOST_TEST((*parts)->update_bound(1000) == 0u);
  BOOST_TEST(shown(in_parts(**parts, bad, 7)) == "aead_decrypt_failed");
  auto too_short = gcm().decrypt(key, parameter_of(parameter));
  BOOST_REQUIRE(too_short);
  BOOST_TEST(shown(in_one_part(**too_short, Bytes(15))) == "encrypted_data_length");
}

BOOST_AUTO_TEST_CASE(empty_message) {
  Given given;
  auto parameter = given.plain_parameter();
  const KeyRef key = secret(CKK_AES, hex(key_text));
  auto encryption = gcm().encrypt(key, parameter_of(parameter));
  BOOST_REQUIRE(encryption);
  const auto sealed = in_one_part(**encryption, {});
  BOOST_REQUIRE(sealed);
  BOOST_TEST(sealed->size() == 16u);
  check_cipher(CKM_AES_GCM, key, parameter_of(parameter), {}, *sealed);
}

BOOST_AUTO_TEST_CASE(hostile_parameters) {
  const KeyRef key = secret(CKK_AES, hex(key_text));
  Given given;
  const auto refused = [&](auto change) {
    auto parameter = given.plain_parameter();
    change(parameter);
    BOOST_TEST((gcm().encrypt(key, parameter_of(parameter)).code() == Code::mechanism_param_invalid));
  };
  refused([](auto& p) { p.pIv = nullptr; });
  refused([](auto& p) { p.ulIvLen = 0; });
  refused([](auto& p) { p.ulIvLen = ~0UL; });
  refused([](auto& p) { p.ulIvLen = 129; });
  refused([](auto& p) { p.pAAD = nullptr; });
  refused([](auto& p) { p.ulAADLen = ~0UL; });
  for (const CK_ULONG bits : {0UL, 16UL, 33UL, 88UL, 127UL, 129UL, ~0UL}) {
    refused([&](auto& p) { p.ulTagBits = bits; });
  }
  BOOST_TEST((gcm().encrypt(key, {}).code() == Code::mechanism_param_invalid));
  BOOST_TEST((gcm().encrypt(key, Parameter(nullptr, sizeof(CK_GCM_PARAMS))).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(messages) {
  const KeyRef key = secret(CKK_AES, hex(key_text));
  auto encryption = gcm().message_encrypt(key, {});
  auto decryption = gcm().message_decrypt(key, {});
  BOOST_REQUIRE(encryption);
  BOOST_REQUIRE(decryption);
  std::set<Bytes> ivs;
  for (int round = 0; round < 20; ++round) {
    Given given;
    auto parameter = given.message_parameter(CKG_GENERATE, 32);
    BOOST_REQUIRE((*encryption)->begin(&parameter, sizeof(parameter), given.associated_data));
    BOOST_TEST(to_hex(ByteView(given.iv).first(4)) == "cafebabe");
    BOOST_TEST(ivs.insert(given.iv).second);
    const Bytes text = hex(plain);
    Bytes sealed(text.size());
    BOOST_REQUIRE((*encryption)->next(&parameter, sizeof(parameter), ByteView(text).first(13), sealed, false));
    BOOST_REQUIRE(
        (*encryption)
            ->next(&parameter, sizeof(parameter), ByteView(text).subspan(13), MutableBytes(sealed).subspan(13), true));
    Bytes opened(text.size());
    BOOST_REQUIRE((*decryption)->begin(&parameter, sizeof(parameter), given.associated_data));
    const auto early = (*decryption)->next(&parameter, sizeof(parameter), ByteView(sealed).first(20), {}, false);
    BOOST_REQUIRE(early);
    BOOST_TEST(*early == 0u);
    BOOST_REQUIRE((*decryption)->next(&parameter, sizeof(parameter), ByteView(sealed).subspan(20), opened, true));
    BOOST_TEST(to_hex(opened) == plain);
    given.tag[0] ^= 1;
    BOOST_REQUIRE((*decryption)->begin(&parameter, sizeof(parameter), given.associated_data));
    BOOST_TEST(
        ((*decryption)->next(&parameter, sizeof(parameter), sealed, opened, true).code() == Code::aead_decrypt_failed));
  }
}

BOOST_AUTO_TEST_CASE(known_answer_as_a_message) {
  Given given;
  auto parameter = given.message_parameter();
  auto encryption = gcm().message_encrypt(secret(CKK_AES, hex(key_text)), {});
  BOOST_REQUIRE(encryption);
  BOOST_REQUIRE((*encryption)->begin(&parameter, sizeof(parameter), given.associated_data));
  Bytes sealed(60);
  BOOST_REQUIRE((*encryption)->next(&parameter, sizeof(parameter), hex(plain), sealed, true));
  BOOST_TEST(to_hex(sealed) == encrypted);
  BOOST_TEST(to_hex(given.tag) == tag_text);
}

BOOST_AUTO_TEST_CASE(a_message_ends_with_the_tag_size_it_began_with) {
  Given given;
  auto parameter = given.message_parameter();
  auto encryption = gcm().message_encrypt(secret(CKK_AES, hex(key_text)), {});
  BOOST_REQUIRE(encryption);
  BOOST_REQUIRE((*encryption)->begin(&parameter, sizeof(parameter), {}));
  const std::array<Byte, 4> untouched{1, 2, 3, 4};
  std::array<Byte, 8> place{1, 2, 3, 4, 1, 2, 3, 4};  // the caller's has four bytes, followed by something else
  parameter.pTag = place.data();
  parameter.ulTagBits = 32;
  Bytes sealed(60);
  BOOST_TEST(((*encryption)->next(&parameter, sizeof(parameter), hex(plain), sealed, true).code() ==
              Code::mechanism_param_invalid));
  BOOST_TEST(std::equal(untouched.begin(), untouched.end(), place.begin() + 4));
}

BOOST_AUTO_TEST_CASE(nonce_series) {
  NonceGenerator series;
  Bytes nonce = hex("aabbccdd0000000000000000");
  BOOST_REQUIRE(series.next(nonce, 32, CKG_GENERATE_COUNTER));
  BOOST_TEST(to_hex(nonce) == "aabbccdd0000000000000000");
  BOOST_REQUIRE(series.next(nonce, 32, CKG_GENERATE_COUNTER));
  BOOST_TEST(to_hex(nonce) == "aabbccdd0000000000000001");
  NonceGenerator combined;
  nonce = hex("aabbccdd00000000000000f0");
  BOOST_REQUIRE(combined.next(nonce, 36, CKG_GENERATE_COUNTER_XOR));
  BOOST_TEST(to_hex(nonce) == "aabbccdd00000000000000f0");
  BOOST_REQUIRE(combined.next(nonce, 36, CKG_GENERATE_COUNTER_XOR));
  BOOST_TEST(to_hex(nonce) == "aabbccdd00000000000000f1");
  BOOST_REQUIRE(combined.next(nonce, 36, CKG_GENERATE_COUNTER_XOR));
  BOOST_TEST(to_hex(nonce) == "aabbccdd00000000000000f2");
  NonceGenerator tiny;
  Bytes byte_wise = hex("aabb");
  BOOST_REQUIRE(tiny.next(byte_wise, 15, CKG_GENERATE_COUNTER));
  BOOST_REQUIRE(tiny.next(byte_wise, 15, CKG_GENERATE_COUNTER));
  BOOST_TEST(!tiny.next(byte_wise, 15, CKG_GENERATE_COUNTER).ok());
  BOOST_TEST(!tiny.next(byte_wise, 15, CKG_GENERATE_RANDOM).ok());
  BOOST_TEST(!tiny.next(byte_wise, 17, CKG_GENERATE).ok());
  BOOST_TEST(!tiny.next(byte_wise, 0, 99).ok());
}

BOOST_AUTO_TEST_CASE(wrapping) {
  const KeyRef key = secret(CKK_AES, hex(key_text));
  const Bytes material(24, 0x42);
  Given given;
  auto parameter = given.wrap_parameter(CKG_GENERATE);
  const auto wrapped = gcm().wrap(key, parameter_of(parameter), material, {});
  BOOST_REQUIRE(wrapped);
  BOOST_TEST(wrapped->size() == 40u);
  BOOST_TEST(to_hex(given.iv) != "cafebabefacedbaddecaf888");
  const auto back = gcm().unwrap(key, parameter_of(parameter), *wrapped, {});
  BOOST_REQUIRE(back);
  BOOST_TEST(to_hex(back->view()) == to_hex(material));
  auto counter = given.wrap_parameter(CKG_GENERATE_COUNTER);
  BOOST_TEST((gcm().wrap(key, parameter_of(counter), material, {}).code() == Code::mechanism_param_invalid));

  auto message = given.message_parameter(CKG_GENERATE);
  const auto sealed = gcm().wrap(key, parameter_of(message), material, given.associated_data);
  BOOST_REQUIRE(sealed);
  BOOST_TEST(sealed->size() == material.size());
  BOOST_TEST(gcm().unwrap(key, parameter_of(message), *sealed, given.associated_data).ok());
  given.tag[3] ^= 1;
  BOOST_TEST(
      (gcm().unwrap(key, parameter_of(message), *sealed, given.associated_data).code() == Code::aead_decrypt_failed));
}

BOOST_AUTO_TEST_CASE(which_wrapping_is_safe) {
  Given given;
  auto random = given.wrap_parameter(CKG_GENERATE_RANDOM);
  BOOST_TEST(gcm().wraps_sensitive_keys(parameter_of(random), false));
  auto chosen = given.wrap_parameter(CKG_NO_GENERATE);
  BOOST_TEST(!gcm().wraps_sensitive_keys(parameter_of(chosen), false));
  auto short_tag = given.wrap_parameter(CKG_GENERATE);
  short_tag.ulTagBits = 32;
  BOOST_TEST(!gcm().wraps_sensitive_keys(parameter_of(short_tag), false));
  auto mostly_fixed = given.wrap_parameter(CKG_GENERATE, 64);
  BOOST_TEST(!gcm().wraps_sensitive_keys(parameter_of(mostly_fixed), false));
  // CK_GCM_PARAMS is as long as CK_GCM_MESSAGE_PARAMS, and its pAAD lies where that has the generator.
  auto disguised = given.plain_parameter();
  disguised.pAAD = reinterpret_cast<CK_BYTE_PTR>(CKG_GENERATE);
  disguised.ulAADLen = 0;
  BOOST_TEST(!gcm().wraps_sensitive_keys(parameter_of(disguised), false));
  auto message = given.message_parameter(CKG_GENERATE);
  BOOST_TEST(gcm().wraps_sensitive_keys(parameter_of(message), true));
  BOOST_TEST(!gcm().wraps_sensitive_keys(parameter_of(message), false));
}

BOOST_AUTO_TEST_CASE(unwrapping_needs_a_tag_and_no_generator) {
  Given given;
  auto message = given.message_parameter(CKG_NO_GENERATE);
  BOOST_TEST(gcm().unwraps_authenticated(parameter_of(message), true));
  message.ulTagBits = 32;
  BOOST_TEST(!gcm().unwraps_authenticated(parameter_of(message), true));
  auto plain = given.plain_parameter();
  BOOST_TEST(gcm().unwraps_authenticated(parameter_of(plain), false));
  plain.ulTagBits = 64;
  BOOST_TEST(!gcm().unwraps_authenticated(parameter_of(plain), false));
  auto wrapping = given.wrap_parameter(CKG_NO_GENERATE);
  BOOST_TEST(gcm().unwraps_authenticated(parameter_of(wrapping), false));
  BOOST_TEST(!gcm().unwraps_authenticated({}, true));
}

BOOST_AUTO_TEST_SUITE_END()
