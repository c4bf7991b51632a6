// SP 800-108 against the crypto library's own KBKDF (values made with `openssl kdf`, which writes its input as counter,
// label, zero, context, length) and against its definition.
#include "crypto/mac.h"
#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

Bytes counting(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>(i);
  return bytes;
}

struct Given {
  CK_SP800_108_COUNTER_FORMAT counter{CK_FALSE, 32};
  CK_SP800_108_DKM_LENGTH_FORMAT length{CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS, CK_FALSE, 32};
  Bytes label = to_bytes(view_of("label"));
  Bytes zero = Bytes(1);
  Bytes context = to_bytes(view_of("context"));

  CK_PRF_DATA_PARAM bytes(Bytes& value) { return {CK_SP800_108_BYTE_ARRAY, value.data(), value.size()}; }
  std::vector<CK_PRF_DATA_PARAM> fields(std::vector<CK_PRF_DATA_PARAM> start) {
    start.insert(start.end(),
                 {bytes(label), bytes(zero), bytes(context), {CK_SP800_108_DKM_LENGTH, &length, sizeof(length)}});
    return start;
  }
  CK_PRF_DATA_PARAM iteration_counter() { return {CK_SP800_108_ITERATION_VARIABLE, &counter, sizeof(counter)}; }
  CK_PRF_DATA_PARAM iteration() { return {CK_SP800_108_ITERATION_VARIABLE, nullptr, 0}; }
  CK_PRF_DATA_PARAM optional_counter() { return {CK_SP800_108_COUNTER, &counter, sizeof(counter)}; }
};

CK_SP800_108_KDF_PARAMS parameters(CK_MECHANISM_TYPE prf, std::vector<CK_PRF_DATA_PARAM>& fields,
                                   std::vector<CK_DERIVED_KEY>* keys = nullptr) {
  return {prf, fields.size(), fields.data(), keys != nullptr ? keys->size() : 0,
          keys != nullptr ? keys->data() : nullptr};
}

Bytes joined(std::initializer_list<ByteView> parts) {
  Bytes all;
  for (const ByteView part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes hmac_sha256(ByteView key, ByteView data) {
  const auto made = crypto::hmac(Hash::sha256, key, data);
  BOOST_REQUIRE(made);
  return to_bytes(made->view());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sp800_108)

BOOST_AUTO_TEST_CASE(counter_mode) {
  Given given;
  RecordingHost host;
  auto fields = given.fields({given.iteration_counter()});
  auto parameter = parameters(CKM_SHA256_HMAC, fields);
  BOOST_TEST(
      derived(CKM_SP800_108_COUNTER_KDF, secret(CKK_GENERIC_SECRET, counting(32)), parameter_of(parameter), host, 80) ==
      "793c8c6322234b76061bb6be858d899cf6c2cf3a2cf075f22bed2b8a17d10ff1cd9a6cdfd6c0f4bcaea6f6700b4d"
      "ecc8cb28a019968a859f4e2d4ec8c686dbd5a33e6943413e3db9b6c04a28022f936e");
}

BOOST_AUTO_TEST_CASE(feedback_mode_with_cmac) {
  Given given;
  RecordingHost host;
  auto fields = given.fields({given.iteration(), given.optional_counter()});
  Bytes iv = hex("101112131415161718191a1b1c1d1e1f");
  CK_SP800_108_FEEDBACK_KDF_PARAMS parameter{CKM_AES_CMAC, fields.size(), fields.data(), iv.size(), iv.data(), 0,
                                             nullptr};
  BOOST_TEST(
      derived(CKM_SP800_108_FEEDBACK_KDF, secret(CKK_AES, counting(16)), parameter_of(parameter), host, 80) ==
      "8f65477218ae36332f0a2a87ba9ce86aa577ee8734e2fbef2ff2fa79a922d4c01cef71b4715d2ca46731551ecdda296db5ef7610c8"
      "0052edbd36bd625df2df6371815d39e61281c0fdf7ffc1648bc039");
}

BOOST_AUTO_TEST_CASE(double_pipeline_mode) {
  Given given;
  RecordingHost host;
  const Bytes key = counting(32);
  auto fields = given.fields({given.iteration(), given.optional_counter()});
  auto parameter = parameters(CKM_SHA256_HMAC, fields);
  const Bytes fixed = joined({given.label, given.zero, given.context, hex("00000200")});
  const Bytes a1 = hmac_sha256(key, fixed);
  const Bytes a2 = hmac_sha256(key, a1);
  const Bytes expected = joined(
      {hmac_sha256(key, joined({a1, hex("00000001"), fixed})), hmac_sha256(key, joined({a2, hex("00000002"), fixed}))});
  BOOST_TEST(derived(CKM_SP800_108_DOUBLE_PIPELINE_KDF, secret(CKK_GENERIC_SECRET, key), parameter_of(parameter), host,
                     64) == to_hex(expected));
}

BOOST_AUTO_TEST_CASE(additional_keys_have_segments_of_their_own) {
  // The example of PKCS#11 3.2, "Deriving Additional Keys": 48 and 16 bytes from SHA-256 take three segments.
  Given given;
  given.length.dkmLengthMethod = CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS;
  given.length.bLittleEndian = CK_TRUE;
  RecordingHost host;
  const Bytes key = counting(32);
  auto fields = given.fields({given.iteration_counter()});
  CK_ULONG sixteen = 16;
  CK_ATTRIBUTE attributes[] = {{CKA_VALUE_LEN, &sixteen, sizeof(sixteen)}};
  CK_OBJECT_HANDLE handle = 42;
  std::vector<CK_DERIVED_KEY> keys{{attributes, 1, &handle}};
  auto parameter = parameters(CKM_SHA256_HMAC, fields, &keys);
  const Bytes fixed = joined({given.label, given.zero, given.context, hex("00030000")});  // 768, little-endian
  const auto segment = [&](const char* number) { return hmac_sha256(key, joined({hex(number), fixed})); };
  const std::string principal = to_hex(joined({segment("00000001"), segment("00000002")})).substr(0, 96);
  const KeyRef base = secret(CKK_GENERIC_SECRET, key);
  BOOST_TEST(derived(CKM_SP800_108_COUNTER_KDF, base, parameter_of(parameter), host, 48) == principal);
  BOOST_REQUIRE(host.created.size() == 1u);
  BOOST_TEST(host.created[0] == to_hex(segment("00000003")).substr(0, 32));
  BOOST_TEST(handle == 1u);
  host.refuse = true;
  BOOST_TEST(derived(CKM_SP800_108_COUNTER_KDF, base, parameter_of(parameter), host, 48) == "template_inconsistent");
  BOOST_TEST(handle == CK_INVALID_HANDLE);
}

BOOST_AUTO_TEST_CASE(key_as_input) {
  Given given;
  RecordingHost host;
  host.sources.push_back(secret(CKK_GENERIC_SECRET, given.label));
  CK_OBJECT_HANDLE handle = 0;
  auto plain = given.fields({given.iteration_counter()});
  auto keyed = plain;
  keyed[1] = {CK_SP800_108_KEY_HANDLE, &handle, sizeof(handle)};
  auto first = parameters(CKM_SHA256_HMAC, plain);
  auto second = parameters(CKM_SHA256_HMAC, keyed);
  const KeyRef base = secret(CKK_GENERIC_SECRET, counting(32));
  BOOST_TEST(derived(CKM_SP800_108_COUNTER_KDF, base, parameter_of(first), host) ==
             derived(CKM_SP800_108_COUNTER_KDF, base, parameter_of(second), host));
}

BOOST_AUTO_TEST_CASE(hostile_parameters) {
  Given given;
  RecordingHost host;
  const KeyRef base = secret(CKK_GENERIC_SECRET, counting(32));
  const auto answer = [&](std::vector<CK_PRF_DATA_PARAM> fields, auto change, std::size_t length = 32) {
    auto parameter = parameters(CKM_SHA256_HMAC, fields);
    change(parameter);
    return derived(CKM_SP800_108_COUNTER_KDF, base, parameter_of(parameter), host, length);
  };
  const auto same = [](auto&) {};
  const auto good = given.fields({given.iteration_counter()});
  BOOST_TEST(answer(good, same).size() == 64u);
  const std::string refused = "mechanism_param_invalid";
  BOOST_TEST(answer(given.fields({}), same) == refused);
  BOOST_TEST(answer(given.fields({given.iteration_counter(), given.iteration_counter()}), same) == refused);
  BOOST_TEST(answer(given.fields({given.iteration_counter(), given.optional_counter()}), same) == refused);
  BOOST_TEST(answer(given.fields({given.iteration()}), same) == refused);
  BOOST_TEST(answer(given.fields(good), same) == refused);
  BOOST_TEST(answer(good, [](auto& p) { p.ulNumberOfDataParams = ~0UL; }) == refused);
  BOOST_TEST(answer(good, [](auto& p) { p.pDataParams = nullptr; }) == refused);
  BOOST_TEST(answer(good, [](auto& p) { p.ulAdditionalDerivedKeys = 1; }) == refused);
  BOOST_TEST(answer(good, [](auto& p) { p.prfType = CKM_SHA256; }) == refused);
  BOOST_TEST(answer(good, [](auto& p) { p.prfType = CKM_AES_CMAC; }) == "key_type_inconsistent");
  auto absurd = good;
  absurd[1].ulValueLen = ~0UL;
  BOOST_TEST(answer(absurd, same) == refused);
  absurd[1] = {99, nullptr, 0};
  BOOST_TEST(answer(absurd, same) == refused);
  for (const CK_ULONG width : {0UL, 7UL, 65UL, 72UL, ~0UL}) {
    given.counter.ulWidthInBits = width;
    BOOST_TEST(answer(good, same) == refused);
  }
  // 8 bits count to 255 segments of 32 bytes at most; the 8-bit length counts to 255 bits.
  given.counter.ulWidthInBits = 8;
  given.length.ulWidthInBits = 8;
  BOOST_TEST(answer(good, same, 31).size() == 62u);
  BOOST_TEST(answer(good, same, 32) == refused);
}

BOOST_AUTO_TEST_SUITE_END()
