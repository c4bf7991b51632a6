#include "mechanism/rsa.h"

#include "crypto/digest.h"
#include "mechanism/asymmetric_test_keys.h"
#include "mechanism/rsa_padding.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

struct Hashed {
  CK_MECHANISM_TYPE digest;
  CK_MECHANISM_TYPE pkcs1;
  CK_MECHANISM_TYPE pss;
  CK_RSA_PKCS_MGF_TYPE mgf;
};
constexpr std::array<Hashed, 9> hashed{
    {{CKM_SHA_1, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKG_MGF1_SHA1},
     {CKM_SHA224, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS, CKG_MGF1_SHA224},
     {CKM_SHA256, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKG_MGF1_SHA256},
     {CKM_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKG_MGF1_SHA384},
     {CKM_SHA512, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS, CKG_MGF1_SHA512},
     {CKM_SHA3_224, CKM_SHA3_224_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS, CKG_MGF1_SHA3_224},
     {CKM_SHA3_256, CKM_SHA3_256_RSA_PKCS, CKM_SHA3_256_RSA_PKCS_PSS, CKG_MGF1_SHA3_256},
     {CKM_SHA3_384, CKM_SHA3_384_RSA_PKCS, CKM_SHA3_384_RSA_PKCS_PSS, CKG_MGF1_SHA3_384},
     {CKM_SHA3_512, CKM_SHA3_512_RSA_PKCS, CKM_SHA3_512_RSA_PKCS_PSS, CKG_MGF1_SHA3_512}}};

const ByteView message = view_of("a message of no importance");
constexpr auto raw_only = static_cast<Primitives>(Primitive::rsa_raw);

KeyRef soft() {
  return rsa_pair().private_key;
}
KeyRef raw_card() {
  return limited(soft(), raw_only);
}
KeyRef public_half() {
  return rsa_pair().public_key;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rsa)

BOOST_AUTO_TEST_CASE(pkcs1_signatures_are_the_same_with_and_without_the_native_primitive) {
  const KeyRef digest_info_card = limited(soft(), static_cast<Primitives>(Primitive::rsa_pkcs1_sign));
  for (const Hashed& one : hashed) {
    const Bytes native = sign(one.pkcs1, soft(), {}, message);
    BOOST_TEST(sign(one.pkcs1, raw_card(), {}, message) == native);
    BOOST_TEST(sign(one.pkcs1, digest_info_card, {}, message) == native);
    BOOST_TEST(verify(one.pkcs1, public_half(), {}, message, native).ok());
    BOOST_TEST((verify(one.pkcs1, public_half(), {}, view_of("another"), native).code() == Code::signature_invalid));
  }
}

BOOST_AUTO_TEST_CASE(parts_give_the_same_signature_as_the_whole) {
  const SignPtr operation = must(mechanisms().find(CKM_SHA256_RSA_PKCS)->sign(soft(), {}));
  BOOST_REQUIRE(operation->update(message.first(5)).ok());
  BOOST_REQUIRE(operation->update(message.subspan(5)).ok());
  Bytes signature(operation->size());
  must(operation->finish(signature));
  BOOST_TEST(signature == sign(CKM_SHA256_RSA_PKCS, soft(), {}, message));
  const VerifyPtr check = must(mechanisms().find(CKM_SHA256_RSA_PKCS)->verify(public_half(), {}));
  BOOST_REQUIRE(check->update(message).ok());
  BOOST_TEST(check->finish(signature).ok());
}

BOOST_AUTO_TEST_CASE(pss_in_software_verifies_in_the_library) {
  for (const Hashed& one : hashed) {
    for (const CK_ULONG salt : {0ul, 20ul, 32ul}) {
      CK_RSA_PKCS_PSS_PARAMS pss{one.digest, one.mgf, salt};
      for (const KeyRef& key : {soft(), raw_card()}) {
        Bytes signature = sign(one.pss, key, parameter(pss), message);
        BOOST_TEST(verify(one.pss, public_half(), parameter(pss), message, signature).ok());
        signature[9] ^= 1;
        BOOST_TEST(!verify(one.pss, public_half(), parameter(pss), message, signature).ok());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(pss_parameters_are_checked) {
  const Mechanism& pss = *mechanisms().find(CKM_SHA256_RSA_PKCS_PSS);
  const auto refused = [&](CK_MECHANISM_TYPE hash, CK_ULONG mgf, CK_ULONG salt) {
    CK_RSA_PKCS_PSS_PARAMS given{hash, mgf, salt};
    const auto result = pss.sign(soft(), parameter(given));
    return !result.ok() && result.code() == Code::mechanism_param_invalid;
  };
  BOOST_TEST(refused(CKM_SHA384, CKG_MGF1_SHA256, 32));
  BOOST_TEST(refused(CKM_SHA256, 0, 32));
  BOOST_TEST(refused(CKM_SHA256, CKG_MGF1_SHA256, 223));
  BOOST_TEST(refused(CKM_SHA256, CKG_MGF1_SHA256, ~0ul));
  BOOST_TEST(!refused(CKM_SHA256, CKG_MGF1_SHA256, 222));
  BOOST_TEST(!refused(CKM_SHA256, CKG_MGF1_SHA1, 0));
  BOOST_TEST((pss.sign(soft(), {}).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(pss_over_a_digest_wants_its_exact_length) {
  CK_RSA_PKCS_PSS_PARAMS given{CKM_SHA256, CKG_MGF1_SHA256, 32};
  const Bytes digest = must(crypto::digest(Hash::sha256, message));
  const Bytes signature = sign(CKM_RSA_PKCS_PSS, raw_card(), parameter(given), digest);
  BOOST_TEST(verify(CKM_SHA256_RSA_PKCS_PSS, public_half(), parameter(given), message, signature).ok());
  const SignPtr operation = must(mechanisms().find(CKM_RSA_PKCS_PSS)->sign(soft(), parameter(given)));
  Bytes out(operation->size());
  BOOST_TEST((operation->single(ByteView(digest).first(31), out).code() == Code::data_length));
  BOOST_TEST(!operation->multi_part());
}

BOOST_AUTO_TEST_CASE(oaep_decrypts_with_every_hash_mask_and_label) {
  Bytes label = to_bytes(view_of("label"));
  for (const Hashed& one : hashed) {
    for (const CK_RSA_PKCS_MGF_TYPE mgf : {one.mgf, CKG_MGF1_SHA1, CKG_MGF1_SHA3_256}) {
      for (const bool with_label : {false, true}) {
        CK_RSA_PKCS_OAEP_PARAMS given{one.digest, mgf, CKZ_DATA_SPECIFIED, with_label ? label.data() : nullptr,
                                      with_label ? label.size() : 0};
        const Bytes ciphertext = encrypt(CKM_RSA_PKCS_OAEP, public_half(), parameter(given), message);
        for (const KeyRef& key : {soft(), raw_card()})
          BOOST_TEST(same_bytes(must(decrypt(CKM_RSA_PKCS_OAEP, key, parameter(given), ciphertext)), message));
        given.mgf = mgf == CKG_MGF1_SHA384 ? CKG_MGF1_SHA512 : CKG_MGF1_SHA384;
        for (const KeyRef& key : {soft(), raw_card()})
          BOOST_TEST(
              (decrypt(CKM_RSA_PKCS_OAEP, key, parameter(given), ciphertext).code() == Code::encrypted_data_invalid));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_used_label_does_not_stick_to_the_key) {
  Bytes label = to_bytes(view_of("label"));
  CK_RSA_PKCS_OAEP_PARAMS with{CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, label.data(), label.size()};
  CK_RSA_PKCS_OAEP_PARAMS without{CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, nullptr, 0};
  const Bytes labelled = encrypt(CKM_RSA_PKCS_OAEP, public_half(), parameter(with), message);
  const Bytes plain = encrypt(CKM_RSA_PKCS_OAEP, public_half(), parameter(without), message);
  BOOST_TEST(decrypt(CKM_RSA_PKCS_OAEP, soft(), parameter(with), labelled).ok());
  BOOST_TEST(decrypt(CKM_RSA_PKCS_OAEP, soft(), parameter(without), plain).ok());
  BOOST_TEST(!decrypt(CKM_RSA_PKCS_OAEP, soft(), parameter(without), labelled).ok());
}

BOOST_AUTO_TEST_CASE(oaep_wraps_and_unwraps) {
  CK_RSA_PKCS_OAEP_PARAMS given{CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, nullptr, 0};
  const Mechanism& oaep = *mechanisms().find(CKM_RSA_PKCS_OAEP);
  const Bytes key(32, 0x4b);
  const Bytes wrapped = must(oaep.wrap(public_half(), parameter(given), key, std::nullopt));
  BOOST_TEST(same_bytes(must(oaep.unwrap(soft(), parameter(given), wrapped, std::nullopt)).view(), key));
  BOOST_TEST(!oaep.wrap(public_half(), parameter(given), Bytes(191), std::nullopt).ok());
}

BOOST_AUTO_TEST_CASE(pkcs1_decryption_never_fails_for_a_wrong_padding) {
  const Bytes ciphertext = encrypt(CKM_RSA_PKCS, public_half(), {}, message);
  Bytes broken = encrypt(CKM_RSA_X_509, public_half(), {}, message);  // block type 0
  for (const KeyRef& key : {soft(), raw_card()}) {
    BOOST_TEST(same_bytes(must(decrypt(CKM_RSA_PKCS, key, {}, ciphertext)), message));
    const Bytes once = must(decrypt(CKM_RSA_PKCS, key, {}, broken));
    BOOST_TEST(once == must(decrypt(CKM_RSA_PKCS, key, {}, broken)));
    BOOST_TEST(!same_bytes(once, message));
    BOOST_TEST((decrypt(CKM_RSA_PKCS, key, {}, ByteView(ciphertext).first(255)).code() == Code::encrypted_data_length));
  }
  BOOST_TEST(
      same_bytes(must(decrypt(CKM_RSA_PKCS, soft(), {}, encrypt(CKM_RSA_PKCS, public_half(), {}, {}))), Bytes()));
}

BOOST_AUTO_TEST_CASE(raw_rsa_pads_with_zeros_and_refuses_what_is_not_below_the_modulus) {
  const Bytes signature = sign(CKM_RSA_X_509, soft(), {}, message);
  BOOST_TEST(verify(CKM_RSA_X_509, public_half(), {}, message, signature).ok());
  BOOST_TEST(!verify(CKM_RSA_X_509, public_half(), {}, view_of("another"), signature).ok());
  const RecoverPtr recover = must(mechanisms().find(CKM_RSA_X_509)->verify_recover(public_half(), {}));
  Bytes block(recover->bound());
  BOOST_TEST(must(recover->recover(signature, block)) == 256u);
  BOOST_TEST(same_bytes(ByteView(block).last(message.size()), message));
  const Bytes largest(256, 0xff);
  BOOST_TEST((decrypt(CKM_RSA_X_509, soft(), {}, largest).code() == Code::encrypted_data_invalid));
  const SignPtr operation = must(mechanisms().find(CKM_RSA_X_509)->sign(soft(), {}));
  BOOST_TEST((operation->single(largest, block).code() == Code::data_invalid));
  BOOST_TEST((operation->single(Bytes(257), block).code() == Code::data_length));
}

BOOST_AUTO_TEST_CASE(pkcs1_signs_and_recovers_up_to_its_limit) {
  const Bytes longest(245, 0x31);
  const Bytes signature = sign(CKM_RSA_PKCS, soft(), {}, longest);
  BOOST_TEST(sign(CKM_RSA_PKCS, raw_card(), {}, longest) == signature);
  const RecoverPtr recover = must(mechanisms().find(CKM_RSA_PKCS)->verify_recover(public_half(), {}));
  Bytes data(recover->bound());
  data.resize(must(recover->recover(signature, data)));
  BOOST_TEST(data == longest);
  const SignPtr operation = must(mechanisms().find(CKM_RSA_PKCS)->sign(soft(), {}));
  Bytes out(operation->size());
  BOOST_TEST((operation->single(Bytes(246), out).code() == Code::data_length));
}

BOOST_AUTO_TEST_CASE(keys_of_another_kind_are_refused) {
  BOOST_TEST((mechanisms().find(CKM_RSA_PKCS)->sign(public_half(), {}).code() == Code::key_type_inconsistent));
  BOOST_TEST((mechanisms().find(CKM_RSA_PKCS)->verify(soft(), {}).code() == Code::key_type_inconsistent));
  const KeyRef pss_card = limited(soft(), static_cast<Primitives>(Primitive::rsa_pss_sign));
  BOOST_TEST((mechanisms().find(CKM_RSA_X_509)->sign(pss_card, {}).code() == Code::key_type_inconsistent));
  BOOST_TEST(!mechanisms().find(CKM_SHA256_RSA_PKCS)->served_by(static_cast<Primitives>(Primitive::rsa_pss_sign)));
}

BOOST_AUTO_TEST_CASE(generation_checks_size_and_exponent) {
  const Mechanism& generation = *mechanisms().find(CKM_RSA_PKCS_KEY_PAIR_GEN);
  const auto refusal = [&](CK_ULONG bits, ByteView exponent) {
    AttributeSet attributes;
    attributes.set_ulong(CKA_MODULUS_BITS, bits);
    attributes.set(CKA_PUBLIC_EXPONENT, exponent);
    return generation.generate_key_pair({}, attributes, {}).code();
  };
  BOOST_TEST((refusal(1024, {}) == Code::key_size_range));
  BOOST_TEST((refusal(8192, {}) == Code::key_size_range));
  BOOST_TEST((refusal(2048, hex("010000")) == Code::template_inconsistent));
  BOOST_TEST((refusal(2048, hex("01")) == Code::template_inconsistent));
  BOOST_TEST((generation.generate_key_pair({}, {}, {}).code() == Code::template_incomplete));
}

BOOST_AUTO_TEST_CASE(a_digest_info_is_that_of_rfc_8017) {
  std::array<Byte, digest_info_limit> buffer;
  const Bytes digest(32, 0xab);
  const ByteView info = must(digest_info(Hash::sha256, digest, buffer));
  BOOST_TEST(to_hex(info.first(19)) == "3031300d060960864801650304020105000420");
  BOOST_TEST((digest_info(Hash::sha384, digest, buffer).code() == Code::data_length));
  BOOST_TEST((digest_info(Hash::shake128, digest, buffer).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_SUITE_END()
