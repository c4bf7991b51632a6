// CKM_RSA_AES_KEY_WRAP and the CKM_ECDH_*_AES_KEY_WRAP mechanisms against their parts computed apart.
#include <boost/test/unit_test.hpp>

#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "mechanism/asymmetric_test_keys.h"
#include "mechanism/temporary_aes_key.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

Bytes wrap(CK_MECHANISM_TYPE type, const KeyRef& key, Parameter parameter, ByteView material) {
  return must(mechanisms().find(type)->wrap(key, parameter, material, std::nullopt));
}

Result<SecretBytes> unwrap(CK_MECHANISM_TYPE type, const KeyRef& key, Parameter parameter, ByteView wrapped) {
  return mechanisms().find(type)->unwrap(key, parameter, wrapped, std::nullopt);
}

Code refusal(CK_MECHANISM_TYPE type, const KeyRef& key, Parameter parameter, ByteView wrapped) {
  const auto opened = unwrap(type, key, parameter, wrapped);
  BOOST_REQUIRE(!opened.ok());
  return opened.code();
}

const Bytes material(1218, 0x3c);

CK_RSA_PKCS_OAEP_PARAMS oaep_sha256() {
  return {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, nullptr, 0};
}

Pair pair_on(CK_MECHANISM_TYPE type, crypto::KeyAlgorithm algorithm) {
  AttributeSet attributes;
  attributes.set(CKA_EC_PARAMS, view_of(crypto::facts_of(algorithm).oid));
  return generate(type, attributes);
}

struct Way {
  CK_MECHANISM_TYPE mechanism;
  CK_MECHANISM_TYPE generation;
  crypto::KeyAlgorithm curve;
};
constexpr std::array<Way, 8> ways{{
    {CKM_ECDH_AES_KEY_WRAP, CKM_EC_KEY_PAIR_GEN, crypto::KeyAlgorithm::p256},
    {CKM_ECDH_AES_KEY_WRAP, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, crypto::KeyAlgorithm::x25519},
    {CKM_ECDH_COF_AES_KEY_WRAP, CKM_EC_KEY_PAIR_GEN, crypto::KeyAlgorithm::p256},
    {CKM_ECDH_COF_AES_KEY_WRAP, CKM_EC_KEY_PAIR_GEN, crypto::KeyAlgorithm::p384},
    {CKM_ECDH_COF_AES_KEY_WRAP, CKM_EC_KEY_PAIR_GEN, crypto::KeyAlgorithm::p521},
    {CKM_ECDH_COF_AES_KEY_WRAP, CKM_EC_KEY_PAIR_GEN, crypto::KeyAlgorithm::secp256k1},
    {CKM_ECDH_X_AES_KEY_WRAP, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, crypto::KeyAlgorithm::x25519},
    {CKM_ECDH_X_AES_KEY_WRAP, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, crypto::KeyAlgorithm::x448},
}};

}  // namespace

BOOST_AUTO_TEST_SUITE(key_encryption)

// RFC 5649, 6.
BOOST_AUTO_TEST_CASE(the_temporary_key_wraps_as_rfc_5649) {
  const Bytes key = hex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
  const Bytes twenty = hex("c37b7e6492584340bed12207808941155068f738");
  BOOST_TEST(to_hex(must(wrap_under(SecretBytes(key), twenty))) ==
             "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a");
  const Bytes seven = hex("466f7250617369");
  const Bytes wrapped = hex("afbeb0f07dfbf5419200f2ccb50bb24f");
  BOOST_TEST(must(wrap_under(SecretBytes(key), seven)) == wrapped);
  BOOST_TEST(same_bytes(must(unwrap_under(SecretBytes(key), wrapped)).view(), seven));
}

BOOST_AUTO_TEST_CASE(rsa_aes_wrap_is_oaep_and_then_kwp) {
  const Pair& pair = rsa_pair();
  Bytes label = hex("0102");
  for (const CK_ULONG bits : {CK_ULONG{128}, CK_ULONG{192}, CK_ULONG{256}}) {
    CK_RSA_PKCS_OAEP_PARAMS oaep{CKM_SHA256, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, label.data(), label.size()};
    CK_RSA_AES_KEY_WRAP_PARAMS given{bits, &oaep};
    const Bytes wrapped = wrap(CKM_RSA_AES_KEY_WRAP, pair.public_key, parameter(given), material);
    const Bytes temporary =
        must(decrypt(CKM_RSA_PKCS_OAEP, pair.private_key, parameter(oaep), ByteView(wrapped).first(256)));
    BOOST_TEST(temporary.size() == bits / 8);
    BOOST_TEST(same_bytes(must(unwrap_under(SecretBytes(temporary), ByteView(wrapped).subspan(256))).view(), material));
    BOOST_TEST(
        same_bytes(must(unwrap(CKM_RSA_AES_KEY_WRAP, pair.private_key, parameter(given), wrapped)).view(), material));
  }
}

BOOST_AUTO_TEST_CASE(rsa_aes_wrap_refuses_what_is_not_its_own) {
  const Pair& pair = rsa_pair();
  CK_RSA_PKCS_OAEP_PARAMS oaep = oaep_sha256();
  CK_RSA_AES_KEY_WRAP_PARAMS given{256, &oaep};
  Bytes wrapped = wrap(CKM_RSA_AES_KEY_WRAP, pair.public_key, parameter(given), material);
  const auto code = [&](Parameter changed) {
    return refusal(CKM_RSA_AES_KEY_WRAP, pair.private_key, changed, wrapped);
  };
  CK_RSA_AES_KEY_WRAP_PARAMS other_size{128, &oaep};
  BOOST_TEST((code(parameter(other_size)) == Code::encrypted_data_invalid));
  for (CK_ULONG bits : {CK_ULONG{0}, CK_ULONG{64}, CK_ULONG{255}, CK_ULONG{512}}) {
    CK_RSA_AES_KEY_WRAP_PARAMS wrong{bits, &oaep};
    BOOST_TEST((code(parameter(wrong)) == Code::mechanism_param_invalid));
  }
  CK_RSA_AES_KEY_WRAP_PARAMS no_oaep{256, nullptr};
  BOOST_TEST((code(parameter(no_oaep)) == Code::mechanism_param_invalid));
  BOOST_TEST((code({}) == Code::mechanism_param_invalid));
  wrapped.back() ^= 1;
  BOOST_TEST((code(parameter(given)) == Code::encrypted_data_invalid));
  wrapped.back() ^= 1;
  wrapped[100] ^= 1;
  BOOST_TEST((code(parameter(given)) == Code::encrypted_data_invalid));
  for (const std::size_t size : {std::size_t{0}, std::size_t{255}, std::size_t{256}}) {
    wrapped.resize(size);
    BOOST_TEST((code(parameter(given)) == Code::encrypted_data_length));
  }
}

BOOST_AUTO_TEST_CASE(ecdh_aes_wrap_is_agreement_and_then_kwp) {
  Bytes shared_data = hex("a1a2a3");
  for (const Way& way : ways) {
    const crypto::KeyAlgorithmFacts& facts = crypto::facts_of(way.curve);
    BOOST_TEST_CONTEXT(facts.name) {
      const Pair pair = pair_on(way.generation, way.curve);
      CK_ECDH_AES_KEY_WRAP_PARAMS given{256, CKD_SHA256_KDF, shared_data.size(), shared_data.data()};
      const Bytes wrapped = wrap(way.mechanism, pair.public_key, parameter(given), material);
      BOOST_TEST(same_bytes(must(unwrap(way.mechanism, pair.private_key, parameter(given), wrapped)).view(), material));

      // The same from its parts: the transport key stands in front as CKA_EC_POINT would hold it.
      ByteView point = ByteView(wrapped).first(facts.public_size);
      ByteView rest = ByteView(wrapped).subspan(facts.public_size);
      if (facts.family == crypto::KeyFamily::ec) {
        crypto::DerReader reader(wrapped);
        const auto content = reader.take(crypto::der_octet_string);
        BOOST_REQUIRE(content.has_value());
        point = *content;
        rest = ByteView(wrapped).subspan(static_cast<std::size_t>(point.data() - wrapped.data()) + point.size());
      }
      BOOST_TEST(point.size() == facts.public_size);
      const auto key = std::dynamic_pointer_cast<const PrivateKey>(pair.private_key.key);
      SecretBytes secret(key->output_size({.primitive = Primitive::ecdh}));
      must(key->perform({.primitive = Primitive::ecdh}, point, secret.mutable_view()));
      Bytes hashed = to_bytes(secret.view());
      hashed.insert(hashed.end(), {0, 0, 0, 1, 0xa1, 0xa2, 0xa3});  // ANSI X9.63: counter and shared data
      const Bytes temporary = must(crypto::digest(Hash::sha256, hashed));
      BOOST_TEST(same_bytes(must(unwrap_under(SecretBytes(temporary), rest)).view(), material));
    }
  }
}

BOOST_AUTO_TEST_CASE(without_a_kdf_the_first_bits_of_the_secret_count) {
  const Pair pair = pair_on(CKM_EC_KEY_PAIR_GEN, crypto::KeyAlgorithm::p384);
  CK_ECDH_AES_KEY_WRAP_PARAMS given{128, CKD_NULL, 0, nullptr};
  const Bytes wrapped = wrap(CKM_ECDH_COF_AES_KEY_WRAP, pair.public_key, parameter(given), material);
  crypto::DerReader reader(wrapped);
  const ByteView point = *reader.take(crypto::der_octet_string);
  const auto key = std::dynamic_pointer_cast<const PrivateKey>(pair.private_key.key);
  SecretBytes secret(48);
  must(key->perform({.primitive = Primitive::ecdh}, point, secret.mutable_view()));
  BOOST_TEST(same_bytes(
      must(unwrap_under(SecretBytes(secret.view().first(16)), ByteView(wrapped).subspan(2 + point.size()))).view(),
      material));
  Bytes data = hex("00");
  CK_ECDH_AES_KEY_WRAP_PARAMS useless{128, CKD_NULL, data.size(), data.data()};
  BOOST_TEST((refusal(CKM_ECDH_COF_AES_KEY_WRAP, pair.private_key, parameter(useless), wrapped) ==
              Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(ecdh_aes_wrap_refuses_what_is_not_its_own) {
  for (const Way& way : ways) {
    const Pair pair = pair_on(way.generation, way.curve);
    CK_ECDH_AES_KEY_WRAP_PARAMS given{192, CKD_SHA1_KDF, 0, nullptr};
    Bytes wrapped = wrap(way.mechanism, pair.public_key, parameter(given), material);
    const auto code = [&](Parameter changed) { return refusal(way.mechanism, pair.private_key, changed, wrapped); };
    CK_ECDH_AES_KEY_WRAP_PARAMS other_size{256, CKD_SHA1_KDF, 0, nullptr};
    BOOST_TEST((code(parameter(other_size)) == Code::encrypted_data_invalid));
    CK_ECDH_AES_KEY_WRAP_PARAMS no_size{0, CKD_SHA1_KDF, 0, nullptr};
    BOOST_TEST((code(parameter(no_size)) == Code::mechanism_param_invalid));
    CK_ECDH_AES_KEY_WRAP_PARAMS no_kdf{192, 0x7777, 0, nullptr};
    BOOST_TEST((code(parameter(no_kdf)) == Code::mechanism_param_invalid));
    CK_ECDH_AES_KEY_WRAP_PARAMS dangling{192, CKD_SHA1_KDF, 7, nullptr};
    BOOST_TEST((code(parameter(dangling)) == Code::mechanism_param_invalid));
    wrapped.back() ^= 1;
    BOOST_TEST((code(parameter(given)) == Code::encrypted_data_invalid));
    const bool weierstrass = crypto::facts_of(way.curve).family == crypto::KeyFamily::ec;
    wrapped.resize(20);
    BOOST_TEST((code(parameter(given)) == (weierstrass ? Code::encrypted_data_invalid : Code::encrypted_data_length)));
    wrapped.clear();
    BOOST_TEST(!unwrap(way.mechanism, pair.private_key, parameter(given), wrapped).ok());
  }
}

BOOST_AUTO_TEST_CASE(each_successor_takes_its_own_kind_of_key) {
  CK_ECDH_AES_KEY_WRAP_PARAMS given{256, CKD_SHA256_KDF, 0, nullptr};
  const Pair weierstrass = pair_on(CKM_EC_KEY_PAIR_GEN, crypto::KeyAlgorithm::p256);
  const Pair montgomery = pair_on(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, crypto::KeyAlgorithm::x25519);
  const auto code = [&](CK_MECHANISM_TYPE type, const KeyRef& key) {
    return mechanisms().find(type)->wrap(key, parameter(given), material, std::nullopt).code();
  };
  BOOST_TEST((code(CKM_ECDH_X_AES_KEY_WRAP, weierstrass.public_key) == Code::key_type_inconsistent));
  BOOST_TEST((code(CKM_ECDH_COF_AES_KEY_WRAP, montgomery.public_key) == Code::key_type_inconsistent));
  BOOST_TEST((code(CKM_ECDH_AES_KEY_WRAP, rsa_pair().public_key) == Code::key_type_inconsistent));
}

BOOST_AUTO_TEST_SUITE_END()
