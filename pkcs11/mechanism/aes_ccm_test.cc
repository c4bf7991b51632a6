// AES-CCM: packet vector 1 of RFC 3610, messages, wrapping, and what is refused.
#include "mechanism/aes_aead.h"
#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

struct Given {
  Bytes nonce = hex("00000003020100a0a1a2a3a4a5");
  Bytes associated_data = hex("0001020304050607");
  Bytes mac = Bytes(8);
  CK_CCM_PARAMS parameter(CK_ULONG size) {
    return {size, nonce.data(), nonce.size(), associated_data.data(), associated_data.size(), 8};
  }
  CK_CCM_MESSAGE_PARAMS message(CK_ULONG size, CK_GENERATOR_FUNCTION generator = CKG_NO_GENERATE) {
    return {size, nonce.data(), nonce.size(), 0, generator, mac.data(), mac.size()};
  }
};

const char* const plain = "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e";
const char* const encrypted = "588c979a61c663d2f066d0c2c0f989806d5f6b61dac384";
const char* const mac_text = "17e8d12cfdf926e0";

KeyRef key() {
  return secret(CKK_AES, hex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"));
}

const Mechanism& ccm() {
  return mechanism(CKM_AES_CCM);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(aes_ccm)

BOOST_AUTO_TEST_CASE(known_answer) {
  Given given;
  auto parameter = given.parameter(23);
  check_cipher(CKM_AES_CCM, key(), parameter_of(parameter), hex(plain), hex(std::string(encrypted) + mac_text));
}

BOOST_AUTO_TEST_CASE(empty_message) {
  Given given;
  auto parameter = given.parameter(0);
  auto encryption = ccm().encrypt(key(), parameter_of(parameter));
  BOOST_REQUIRE(encryption);
  const auto sealed = in_one_part(**encryption, {});
  BOOST_REQUIRE(sealed);
  BOOST_TEST(sealed->size() == 8u);
  check_cipher(CKM_AES_CCM, key(), parameter_of(parameter), {}, *sealed);
  Bytes bad = *sealed;
  bad[0] ^= 1;
  auto decryption = ccm().decrypt(key(), parameter_of(parameter));
  BOOST_REQUIRE(decryption);
  BOOST_TEST(shown(in_one_part(**decryption, bad)) == "aead_decrypt_failed");
}

BOOST_AUTO_TEST_CASE(length_must_be_as_announced) {
  Given given;
  auto parameter = given.parameter(23);
  for (const std::size_t size : {0, 22, 24, 100}) {
    auto whole = ccm().encrypt(key(), parameter_of(parameter));
    BOOST_REQUIRE(whole);
    BOOST_TEST(shown(in_one_part(**whole, Bytes(size))) == "data_length");
    auto parts = ccm().encrypt(key(), parameter_of(parameter));
    BOOST_REQUIRE(parts);
    BOOST_TEST(shown(in_parts(**parts, Bytes(size), 10)) == "data_length");
    auto decryption = ccm().decrypt(key(), parameter_of(parameter));
    BOOST_REQUIRE(decryption);
    BOOST_TEST(shown(in_one_part(**decryption, Bytes(size))) == "encrypted_data_length");
  }
}

BOOST_AUTO_TEST_CASE(any_change_is_noticed) {
  Given given;
  auto parameter = given.parameter(23);
  const Bytes good = hex(std::string(encrypted) + mac_text);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x80;
    auto decryption = ccm().decrypt(key(), parameter_of(parameter));
    BOOST_REQUIRE(decryption);
    BOOST_TEST(shown(in_one_part(**decryption, bad)) == "aead_decrypt_failed");
  }
}

BOOST_AUTO_TEST_CASE(hostile_parameters) {
  Given given;
  const auto refused = [&](auto change) {
    auto parameter = given.parameter(23);
    change(parameter);
    BOOST_TEST((ccm().encrypt(key(), parameter_of(parameter)).code() == Code::mechanism_param_invalid));
  };
  refused([](auto& p) { p.ulDataLen = ~0UL; });
  refused([](auto& p) { p.ulDataLen = 0x10000; });  // does not fit the two bytes that a 13-byte nonce leaves
  refused([](auto& p) { p.pNonce = nullptr; });
  refused([](auto& p) { p.ulNonceLen = 6; });
  refused([](auto& p) { p.ulNonceLen = 14; });
  refused([](auto& p) { p.pAAD = nullptr; });
  refused([](auto& p) { p.ulAADLen = 1UL << 31; });
  for (const CK_ULONG size : {0UL, 2UL, 5UL, 17UL, 18UL}) refused([&](auto& p) { p.ulMACLen = size; });
}

BOOST_AUTO_TEST_CASE(messages) {
  Given given;
  auto parameter = given.message(23);
  auto encryption = ccm().message_encrypt(key(), {});
  BOOST_REQUIRE(encryption);
  BOOST_REQUIRE((*encryption)->begin(&parameter, sizeof(parameter), given.associated_data));
  const Bytes text = hex(plain);
  BOOST_REQUIRE((*encryption)->next(&parameter, sizeof(parameter), ByteView(text).first(10), {}, false));
  Bytes sealed((*encryption)->next_bound(13, true));
  const auto written = (*encryption)->next(&parameter, sizeof(parameter), ByteView(text).subspan(10), sealed, true);
  BOOST_REQUIRE(written);
  BOOST_TEST(to_hex(ByteView(sealed).first(*written)) == encrypted);
  BOOST_TEST(to_hex(given.mac) == mac_text);
  auto decryption = ccm().message_decrypt(key(), {});
  BOOST_REQUIRE(decryption);
  BOOST_REQUIRE((*decryption)->begin(&parameter, sizeof(parameter), given.associated_data));
  Bytes opened(23);
  BOOST_REQUIRE((*decryption)->next(&parameter, sizeof(parameter), hex(encrypted), opened, true));
  BOOST_TEST(to_hex(opened) == plain);
}

BOOST_AUTO_TEST_CASE(wrapping) {
  Given given;
  given.nonce = Bytes(12, 1);
  const Bytes material(32, 0x42);
  CK_CCM_WRAP_PARAMS parameter{0, given.nonce.data(), 12, 0, CKG_GENERATE, given.associated_data.data(), 8, 16};
  BOOST_TEST(ccm().wraps_sensitive_keys(parameter_of(parameter), false));
  const auto wrapped = ccm().wrap(key(), parameter_of(parameter), material, {});
  BOOST_REQUIRE(wrapped);
  BOOST_TEST(to_hex(given.nonce) != to_hex(Bytes(12, 1)));
  const auto back = ccm().unwrap(key(), parameter_of(parameter), *wrapped, {});
  BOOST_REQUIRE(back);
  BOOST_TEST(to_hex(back->view()) == to_hex(material));
  parameter.nonceGenerator = CKG_NO_GENERATE;
  BOOST_TEST(!ccm().wraps_sensitive_keys(parameter_of(parameter), false));
  auto plain_parameter = given.parameter(999);
  const auto own_nonce = ccm().wrap(key(), parameter_of(plain_parameter), material, {});
  BOOST_REQUIRE(own_nonce);
  BOOST_TEST(!ccm().wraps_sensitive_keys(parameter_of(plain_parameter), false));
  // Eight bytes of MAC are too few to keep forgeries out.
  BOOST_TEST(!ccm().unwraps_authenticated(parameter_of(plain_parameter), false));
  auto longer = plain_parameter;
  longer.ulMACLen = 16;
  BOOST_TEST(ccm().unwraps_authenticated(parameter_of(longer), false));
  BOOST_TEST(ccm().unwrap(key(), parameter_of(plain_parameter), *own_nonce, {}).ok());
  auto message = given.message(0, CKG_NO_GENERATE);
  BOOST_TEST(!ccm().unwraps_authenticated(parameter_of(message), true));
  Bytes longer_mac(16);
  auto longer_message = message;
  longer_message.pMAC = longer_mac.data();
  longer_message.ulMACLen = longer_mac.size();
  BOOST_TEST(ccm().unwraps_authenticated(parameter_of(longer_message), true));
  message = given.message(0, CKG_GENERATE_RANDOM);
  const auto sealed = ccm().wrap(key(), parameter_of(message), material, given.associated_data);
  BOOST_REQUIRE(sealed);
  BOOST_TEST(ccm().unwrap(key(), parameter_of(message), *sealed, given.associated_data).ok());
  BOOST_TEST((ccm().unwrap(key(), parameter_of(message), *sealed, ByteView{}).code() == Code::aead_decrypt_failed));
}

BOOST_AUTO_TEST_SUITE_END()
