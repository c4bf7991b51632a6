#include "crypto/asymmetric_key.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "base/testing.h"
#include "crypto/key_encoding.h"

using namespace cardea;
using namespace cardea::crypto;
using namespace cardea::testing;

namespace {

AsymmetricKeyPtr rsa_2048() {
  constexpr std::array<Byte, 3> exponent{1, 0, 1};
  static const AsymmetricKeyPtr* const key = new AsymmetricKeyPtr(must(AsymmetricKey::generate_rsa(2048, exponent)));
  return *key;
}

AsymmetricKeyPtr public_half(const AsymmetricKey& key) {
  return must(from_subject_public_key_info(must(subject_public_key_info(key))));
}

constexpr std::array generated{KeyAlgorithm::p256,
                               KeyAlgorithm::p384,
                               KeyAlgorithm::p521,
                               KeyAlgorithm::secp256k1,
                               KeyAlgorithm::ed25519,
                               KeyAlgorithm::ed448,
                               KeyAlgorithm::x25519,
                               KeyAlgorithm::x448,
                               KeyAlgorithm::ml_dsa_44,
                               KeyAlgorithm::ml_dsa_65,
                               KeyAlgorithm::ml_dsa_87,
                               KeyAlgorithm::slh_dsa_sha2_128f,
                               KeyAlgorithm::slh_dsa_shake_192f,
                               KeyAlgorithm::ml_kem_512,
                               KeyAlgorithm::ml_kem_768,
                               KeyAlgorithm::ml_kem_1024};

}  // namespace

BOOST_AUTO_TEST_SUITE(asymmetric_key)

BOOST_AUTO_TEST_CASE(every_algorithm_round_trips_through_its_encodings) {
  for (const KeyAlgorithm algorithm : generated) {
    if (!available(algorithm)) {
      BOOST_TEST_MESSAGE("skipped, this OpenSSL has no " << facts_of(algorithm).name);
      continue;
    }
    BOOST_TEST_CONTEXT(facts_of(algorithm).name) {
      const AsymmetricKeyPtr key = must(AsymmetricKey::generate(algorithm));
      const Bytes public_value = must(key->public_value());
      BOOST_TEST(public_value.size() == facts_of(algorithm).public_size);
      const SecretBytes private_value = must(key->private_value());
      BOOST_TEST(private_value.size() == facts_of(algorithm).private_size);
      const SecretBytes seed = must(key->seed());
      BOOST_TEST(seed.size() == facts_of(algorithm).seed_size);

      const AsymmetricKeyPtr from_value = must(AsymmetricKey::from_private(algorithm, private_value.view()));
      BOOST_TEST(must(from_value->public_value()) == public_value);
      if (!seed.empty()) {
        const AsymmetricKeyPtr from_seed = must(AsymmetricKey::from_private(algorithm, {}, seed.view()));
        BOOST_TEST(must(from_seed->public_value()) == public_value);
      }
      const SecretBytes pkcs8 = must(private_key_info(*key));
      const AsymmetricKeyPtr decoded = must(from_private_key_info(pkcs8.view()));
      BOOST_TEST((decoded->algorithm() == algorithm));
      BOOST_TEST(same_bytes(must(private_key_info(*decoded)).view(), pkcs8.view()));
      const AsymmetricKeyPtr other = public_half(*key);
      BOOST_TEST(must(other->public_value()) == public_value);
      BOOST_TEST(!other->is_private());
    }
  }
}

BOOST_AUTO_TEST_CASE(truncated_or_extended_encodings_are_refused) {
  const AsymmetricKeyPtr key = must(AsymmetricKey::generate(KeyAlgorithm::p256));
  const SecretBytes pkcs8 = must(private_key_info(*key));
  const Bytes spki = must(subject_public_key_info(*key));
  for (std::size_t size = 0; size < pkcs8.size(); ++size)
    BOOST_TEST(!from_private_key_info(pkcs8.view().first(size)).ok());
  for (std::size_t size = 0; size < spki.size(); ++size)
    BOOST_TEST(!from_subject_public_key_info(ByteView(spki).first(size)).ok());
  Bytes longer = to_bytes(pkcs8.view());
  longer.push_back(0);
  BOOST_TEST(!from_private_key_info(longer).ok());
}

BOOST_AUTO_TEST_CASE(rsa_numbers_follow_from_fewer) {
  const RsaNumbers all = must(rsa_2048()->rsa_numbers());
  RsaNumbers few;
  few.modulus = all.modulus;
  few.public_exponent = all.public_exponent;
  few.private_exponent = all.private_exponent.copy();
  BOOST_REQUIRE(complete_rsa(few).ok());
  BOOST_TEST(
      (same_bytes(few.prime_1.view(), all.prime_1.view()) || same_bytes(few.prime_1.view(), all.prime_2.view())));

  RsaNumbers without_exponent;
  without_exponent.modulus = all.modulus;
  without_exponent.private_exponent = all.private_exponent.copy();
  BOOST_REQUIRE(complete_rsa(without_exponent).ok());
  BOOST_TEST(without_exponent.public_exponent == all.public_exponent);

  RsaNumbers wrong;
  wrong.modulus = all.modulus;
  wrong.public_exponent = all.public_exponent;
  wrong.private_exponent = all.private_exponent.copy();
  wrong.private_exponent.data()[7] ^= 4;
  const Status refused = complete_rsa(wrong);
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.code() == Code::attribute_value_invalid));

  RsaNumbers too_few;
  too_few.modulus = all.modulus;
  BOOST_TEST((complete_rsa(too_few).code() == Code::template_incomplete));
}

BOOST_AUTO_TEST_CASE(a_wrong_pkcs1_padding_gives_the_same_message_every_time) {
  const AsymmetricKeyPtr key = rsa_2048();
  const AsymmetricKeyPtr other = public_half(*key);
  const Bytes message = hex("000102030405");
  Bytes ciphertext(256);
  Bytes out(256);
  must(other->encrypt_pkcs1(message, ciphertext));
  out.resize(must(key->decrypt_pkcs1(ciphertext, out)));
  BOOST_TEST(out == message);

  std::size_t lengths_that_differ = 0;
  std::size_t first_length = 0;
  for (Byte i = 0; i < 8; ++i) {
    Bytes block(256, 0x5a);
    block[0] = 0;
    block[1] = 1;  // a signature's block type: no encryption padding
    block[200] = i;
    must(other->rsa_public_raw(block, ciphertext));
    Bytes one(256);
    Bytes two(256);
    one.resize(must(key->decrypt_pkcs1(ciphertext, one)));
    two.resize(must(key->decrypt_pkcs1(ciphertext, two)));
    BOOST_TEST(one == two);
    BOOST_TEST(one.size() <= 245u);
    if (i == 0) first_length = one.size();
    lengths_that_differ += one.size() != first_length ? 1 : 0;
  }
  BOOST_TEST(lengths_that_differ > 0u);
}

// RFC 8032, 7.1, test 2, and 7.4, "1 octet".
BOOST_AUTO_TEST_CASE(eddsa_gives_the_signatures_of_rfc_8032) {
  const AsymmetricKeyPtr ed25519 = must(AsymmetricKey::from_private(
      KeyAlgorithm::ed25519, hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")));
  BOOST_TEST(to_hex(must(ed25519->public_value())) ==
             "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  Bytes signature(64);
  must(ed25519->sign_message({}, hex("72"), signature));
  BOOST_TEST(
      to_hex(signature) ==
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430"
      "2aeeb00d291612bb0c00");
  BOOST_TEST(public_half(*ed25519)->verify_message({}, hex("72"), signature).ok());
  signature[3] ^= 1;
  BOOST_TEST((public_half(*ed25519)->verify_message({}, hex("72"), signature).code() == Code::signature_invalid));
}

// RFC 7748, 6.1.
BOOST_AUTO_TEST_CASE(x25519_gives_the_secret_of_rfc_7748) {
  const AsymmetricKeyPtr alice = must(AsymmetricKey::from_private(
      KeyAlgorithm::x25519, hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")));
  Bytes secret(32);
  must(alice->derive(hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), secret));
  BOOST_TEST(to_hex(secret) == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  const Bytes zero(32, 0);
  const auto refused = alice->derive(zero, secret);
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.code() == Code::public_key_invalid));
}

BOOST_AUTO_TEST_CASE(ecdh_agrees_and_refuses_points_off_the_curve) {
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::p256, KeyAlgorithm::p384, KeyAlgorithm::p521,
                                       KeyAlgorithm::secp256k1, KeyAlgorithm::x25519, KeyAlgorithm::x448}) {
    BOOST_TEST_CONTEXT(facts_of(algorithm).name) {
      const AsymmetricKeyPtr a = must(AsymmetricKey::generate(algorithm));
      const AsymmetricKeyPtr b = must(AsymmetricKey::generate(algorithm));
      const std::size_t size = facts_of(algorithm).private_size;
      Bytes ab(size);
      Bytes ba(size);
      BOOST_TEST(must(a->derive(must(b->public_value()), ab)) == size);
      BOOST_TEST(must(b->derive(must(a->public_value()), ba)) == size);
      BOOST_TEST(ab == ba);
      if (facts_of(algorithm).family != KeyFamily::ec) continue;
      Bytes off = must(b->public_value());
      off.back() ^= 1;
      BOOST_TEST((a->derive(off, ab).code() == Code::public_key_invalid));
      BOOST_TEST((a->derive(Bytes{0}, ab).code() == Code::public_key_invalid));
      // The pool's context must serve again after a refusal.
      BOOST_TEST(must(a->derive(must(b->public_value()), ba)) == size);
      BOOST_TEST((AsymmetricKey::from_public(algorithm, off).code() == Code::public_key_invalid));
    }
  }
}

BOOST_AUTO_TEST_CASE(ecdsa_signs_long_and_short_digests) {
  const AsymmetricKeyPtr key = must(AsymmetricKey::generate(KeyAlgorithm::p256));
  const AsymmetricKeyPtr other = public_half(*key);
  for (const std::size_t size : {1u, 20u, 32u, 64u, 128u}) {
    const Bytes digest(size, 0xa7);
    Bytes signature(64);
    BOOST_TEST(must(key->ecdsa_sign(digest, signature)) == 64u);
    BOOST_TEST(other->ecdsa_verify(digest, signature).ok());
    // Only the leftmost 256 bits count.
    if (size > 32) BOOST_TEST(other->ecdsa_verify(ByteView(digest).first(32), signature).ok());
    signature[40] ^= 1;
    BOOST_TEST(!other->ecdsa_verify(digest, signature).ok());
  }
  BOOST_TEST((other->ecdsa_verify(Bytes(32), Bytes(63)).code() == Code::signature_length));
  BOOST_TEST((other->ecdsa_verify(Bytes(32), Bytes(66)).code() == Code::signature_length));
  BOOST_TEST((other->ecdsa_verify(Bytes(32), Bytes(64)).code() == Code::signature_invalid));
}

BOOST_AUTO_TEST_CASE(scalars_outside_the_order_are_refused) {
  const Bytes order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  const auto key = AsymmetricKey::from_private(KeyAlgorithm::p256, order);
  BOOST_TEST((!key.ok() || !(*key)->check_private().ok()));
  BOOST_TEST(!AsymmetricKey::from_private(KeyAlgorithm::p256, Bytes(32)).ok());
}

BOOST_AUTO_TEST_CASE(one_key_serves_many_threads_and_tasks) {
  const AsymmetricKeyPtr key = rsa_2048();
  const AsymmetricKeyPtr other = public_half(*key);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 12; ++t) {
    threads.emplace_back([&, t] {
      const Bytes digest(32, static_cast<Byte>(t));
      Bytes signature(256);
      for (int i = 0; i < 5; ++i) {
        const bool pss = (i + t) % 2 == 0;
        const auto made =
            pss ? key->sign_pss(Hash::sha256, Hash::sha256, 20, digest, signature) : key->sign_pkcs1(digest, signature);
        const Status right = pss ? other->verify_pss(Hash::sha256, Hash::sha256, 20, digest, signature)
                                 : other->verify_pkcs1(digest, signature);
        if (made.ok() && right.ok()) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(good == 60);
}

BOOST_AUTO_TEST_SUITE_END()
