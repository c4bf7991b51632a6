#include "mechanism/ec.h"

#include <optional>

#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/key_algorithm.h"
#include "crypto/key_der.h"
#include "mechanism/asymmetric_test_keys.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

const ByteView message = view_of("a message of no importance");

Pair generate_on(CK_MECHANISM_TYPE type, ByteView parameters) {
  AttributeSet attributes;
  attributes.set(CKA_EC_PARAMS, parameters);
  return generate(type, attributes);
}

Bytes named(crypto::KeyAlgorithm algorithm) {
  return to_bytes(view_of(crypto::facts_of(algorithm).oid));
}

class NoHost final : public DeriveHost {
 public:
  Result<KeyRef> source_key(CK_OBJECT_HANDLE) override { return Code::key_handle_invalid; }
  Status create_key(SecretBytes, const CK_ATTRIBUTE*, CK_ULONG, CK_OBJECT_HANDLE*) override { return Code::internal; }
  Status create_tls_key(SecretBytes, bool, CK_OBJECT_HANDLE*) override { return Code::internal; }
};

Result<Bytes> agree(const KeyRef& key, CK_EC_KDF_TYPE kdf, Bytes peer, std::optional<std::size_t> length = {},
                    Bytes shared = {}) {
  CK_ECDH1_DERIVE_PARAMS given{kdf, shared.size(), shared.empty() ? nullptr : shared.data(), peer.size(), peer.data()};
  NoHost host;
  DeriveRequest request;
  request.length = length;
  CARDEA_ASSIGN(const DerivedValue value,
                mechanisms().find(CKM_ECDH1_DERIVE)->derive(key, parameter(given), request, host));
  return to_bytes(value->view());
}

Bytes point_of(const KeyRef& key) {
  return to_bytes(*key.object->attributes.get(CKA_EC_POINT));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ec)

BOOST_AUTO_TEST_CASE(ecdsa_on_every_curve_with_every_hash) {
  using crypto::KeyAlgorithm;
  for (const KeyAlgorithm curve :
       {KeyAlgorithm::p256, KeyAlgorithm::p384, KeyAlgorithm::p521, KeyAlgorithm::secp256k1}) {
    const Pair pair = generate_on(CKM_EC_KEY_PAIR_GEN, named(curve));
    for (const CK_MECHANISM_TYPE type :
         {CKM_ECDSA, CKM_ECDSA_SHA1, CKM_ECDSA_SHA224, CKM_ECDSA_SHA256, CKM_ECDSA_SHA384, CKM_ECDSA_SHA512,
          CKM_ECDSA_SHA3_224, CKM_ECDSA_SHA3_256, CKM_ECDSA_SHA3_384, CKM_ECDSA_SHA3_512}) {
      Bytes signature = sign(type, pair.private_key, {}, message);
      BOOST_TEST(signature.size() == crypto::facts_of(curve).output_size);
      BOOST_TEST(verify(type, pair.public_key, {}, message, signature).ok());
      signature.back() ^= 1;
      BOOST_TEST((verify(type, pair.public_key, {}, message, signature).code() == Code::signature_invalid));
    }
    const Bytes digest = must(crypto::digest(Hash::sha256, message));
    BOOST_TEST(
        verify(CKM_ECDSA_SHA256, pair.public_key, {}, message, sign(CKM_ECDSA, pair.private_key, {}, digest)).ok());
  }
}

BOOST_AUTO_TEST_CASE(a_shorter_signature_encoding_is_accepted) {
  const Pair pair = generate_on(CKM_EC_KEY_PAIR_GEN, named(crypto::KeyAlgorithm::p521));
  // r and s of P-521 begin with 7 zero bits and now and then with a whole zero byte in both.
  for (int i = 0; i < 200; ++i) {
    const Bytes signature = sign(CKM_ECDSA, pair.private_key, {}, message.first(20));
    if (signature[0] != 0 || signature[66] != 0) continue;
    Bytes shorter(signature.begin() + 1, signature.begin() + 66);
    shorter.insert(shorter.end(), signature.begin() + 67, signature.end());
    BOOST_TEST(verify(CKM_ECDSA, pair.public_key, {}, message.first(20), shorter).ok());
    return;
  }
  BOOST_FAIL("no signature with two leading zero bytes in 200");
}

BOOST_AUTO_TEST_CASE(curves_go_by_identifier_name_or_parameters) {
  const Bytes name = crypto::der<Bytes>(crypto::der_printable_string, {view_of("secp256r1")});
  const Pair pair = generate_on(CKM_EC_KEY_PAIR_GEN, name);
  BOOST_TEST(same_bytes(*pair.private_key.object->attributes.get(CKA_EC_PARAMS), name));
  BOOST_TEST(point_of(pair.public_key).size() == 67u);

  // SEC 2, 2.4.2 with the fields of ANSI X9.62's ECParameters.
  const Bytes spelt_out = hex(
      "3081e0020101302c06072a8648ce3d0101022100ffffffff00000001000000000000000000000000ffffffffffffffffffffffff3044"
      "0420ffffffff00000001000000000000000000000000fffffffffffffffffffffffc04205ac635d8aa3a93e7b3ebbd55769886bc651d"
      "06b0cc53b0f63bce3c3e27d2604b0441046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a"
      "7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3"
      "b9cac2fc632551020101");
  BOOST_TEST(generate_on(CKM_EC_KEY_PAIR_GEN, spelt_out).private_key.key->size() == 256u);

  const auto refusal = [](ByteView parameters) {
    AttributeSet attributes;
    attributes.set(CKA_EC_PARAMS, parameters);
    return mechanisms().find(CKM_EC_KEY_PAIR_GEN)->generate_key_pair({}, attributes, {}).code();
  };
  BOOST_TEST((refusal(hex("06052b81040021")) == Code::curve_not_supported));  // P-224
  BOOST_TEST((refusal(named(crypto::KeyAlgorithm::ed25519)) == Code::curve_not_supported));
  BOOST_TEST((refusal(hex("0500")) == Code::domain_params_invalid));
  BOOST_TEST((refusal({}) == Code::domain_params_invalid));
}

BOOST_AUTO_TEST_CASE(both_sides_agree_with_raw_and_wrapped_points) {
  using crypto::KeyAlgorithm;
  for (const auto& [type, curve] :
       {std::pair{CKM_EC_KEY_PAIR_GEN, KeyAlgorithm::p256}, std::pair{CKM_EC_KEY_PAIR_GEN, KeyAlgorithm::p521},
        std::pair{CKM_EC_MONTGOMERY_KEY_PAIR_GEN, KeyAlgorithm::x25519},
        std::pair{CKM_EC_MONTGOMERY_KEY_PAIR_GEN, KeyAlgorithm::x448}}) {
    const Pair a = generate_on(type, named(curve));
    const Pair b = generate_on(type, named(curve));
    const Bytes secret = must(agree(a.private_key, CKD_NULL, point_of(b.public_key)));
    BOOST_TEST(secret.size() == crypto::facts_of(curve).private_size);
    BOOST_TEST(must(agree(b.private_key, CKD_NULL, point_of(a.public_key))) == secret);
    Bytes other_form = point_of(b.public_key);
    crypto::DerReader reader(other_form);
    if (const auto inner = reader.take(crypto::der_octet_string); inner && reader.at_end())
      other_form = to_bytes(*inner);
    else
      other_form = crypto::der<Bytes>(crypto::der_octet_string, {other_form});
    BOOST_TEST(must(agree(a.private_key, CKD_NULL, other_form)) == secret);
    // Truncation takes bytes off the leading end.
    BOOST_TEST(same_bytes(must(agree(a.private_key, CKD_NULL, other_form, 16)), ByteView(secret).last(16)));
    BOOST_TEST((agree(a.private_key, CKD_NULL, other_form, secret.size() + 1).code() == Code::template_inconsistent));
    other_form.pop_back();
    BOOST_TEST((agree(a.private_key, CKD_NULL, other_form).code() == Code::mechanism_param_invalid));
    BOOST_TEST(
        (agree(a.private_key, CKD_NULL, point_of(b.public_key), {}, Bytes(3)).code() == Code::mechanism_param_invalid));
    BOOST_TEST((agree(a.private_key, 0x7777, point_of(b.public_key)).code() == Code::mechanism_param_invalid));
  }
}

BOOST_AUTO_TEST_CASE(a_point_off_the_curve_is_refused) {
  const Pair a = generate_on(CKM_EC_KEY_PAIR_GEN, named(crypto::KeyAlgorithm::p256));
  Bytes peer = point_of(a.public_key);
  peer.back() ^= 1;
  BOOST_TEST((agree(a.private_key, CKD_NULL, peer).code() == Code::mechanism_param_invalid));
}

// The first block of either KDF is a hash over secret, counter and shared data in its own order.
BOOST_AUTO_TEST_CASE(kdfs_hash_in_the_order_of_their_standard) {
  const Bytes secret = hex("96c05619d56c328ab95fe84b18264b08725b85e33fd34f08");
  const Bytes shared = hex("75eef81aa3041e33b80971203d2c0c52");
  const Bytes counter = hex("00000001");
  const auto joined = [](std::initializer_list<ByteView> parts) {
    Bytes all;
    for (const ByteView part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  const SecretBytes x963 = must(ec_kdf(CKD_SHA256_KDF, secret, shared, 40));
  BOOST_TEST(same_bytes(x963.view().first(32), must(crypto::digest(Hash::sha256, joined({secret, counter, shared})))));
  BOOST_TEST(x963.size() == 40u);
  const SecretBytes sp800 = must(ec_kdf(CKD_SHA3_384_KDF_SP800, secret, shared, 16));
  const Bytes expected = must(crypto::digest(Hash::sha3_384, joined({counter, secret, shared})));
  BOOST_TEST(same_bytes(sp800.view(), ByteView(expected).first(16)));
  const SecretBytes blake = must(ec_kdf(CKD_BLAKE2B_160_KDF, secret, shared, 20));
  BOOST_TEST(same_bytes(blake.view(), must(crypto::digest(Hash::blake2b_160, joined({counter, secret, shared})))));
  BOOST_TEST((ec_kdf(CKD_CPDIVERSIFY_KDF, secret, shared, 16).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(eddsa_signs_in_parts_and_checks_its_parameter) {
  for (const crypto::KeyAlgorithm curve : {crypto::KeyAlgorithm::ed25519, crypto::KeyAlgorithm::ed448}) {
    const Pair pair = generate_on(CKM_EC_EDWARDS_KEY_PAIR_GEN, named(curve));
    const Bytes signature = sign(CKM_EDDSA, pair.private_key, {}, message);
    const SignPtr parts = must(mechanisms().find(CKM_EDDSA)->sign(pair.private_key, {}));
    BOOST_REQUIRE(parts->update(message.first(7)).ok());
    BOOST_REQUIRE(parts->update(message.subspan(7)).ok());
    Bytes again(parts->size());
    must(parts->finish(again));
    BOOST_TEST(again == signature);
    BOOST_TEST(verify(CKM_EDDSA, pair.public_key, {}, message, signature).ok());
    BOOST_TEST(!verify(CKM_EDDSA, pair.public_key, {}, message.first(3), signature).ok());

    Bytes context(256, 1);
    CK_EDDSA_PARAMS too_long{0, context.size(), context.data()};
    BOOST_TEST((mechanisms().find(CKM_EDDSA)->sign(pair.private_key, parameter(too_long)).code() ==
                Code::mechanism_param_invalid));
    CK_EDDSA_PARAMS dangling{0, 5, nullptr};
    BOOST_TEST((mechanisms().find(CKM_EDDSA)->sign(pair.private_key, parameter(dangling)).code() ==
                Code::mechanism_param_invalid));
    CK_EDDSA_PARAMS prehash{1, 3, context.data()};
    const auto variant = mechanisms().find(CKM_EDDSA)->sign(pair.private_key, parameter(prehash));
    BOOST_TEST(variant.ok() == crypto::has_eddsa_variants());
    if (!variant.ok()) continue;
    const Bytes other = sign(CKM_EDDSA, pair.private_key, parameter(prehash), message);
    BOOST_TEST(verify(CKM_EDDSA, pair.public_key, parameter(prehash), message, other).ok());
    BOOST_TEST(!verify(CKM_EDDSA, pair.public_key, {}, message, other).ok());
  }
}

BOOST_AUTO_TEST_SUITE_END()
