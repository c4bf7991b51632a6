#include "crypto/digest.h"
#include "crypto/key_algorithm.h"
#include "mechanism/asymmetric_test_keys.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

const ByteView message = view_of("a message of no importance");

// The post-quantum algorithms came with OpenSSL 3.5; before that the mechanisms must not be listed.
bool listed(CK_MECHANISM_TYPE type, crypto::KeyAlgorithm algorithm) {
  const bool has = crypto::available(algorithm);
  BOOST_TEST((mechanisms().find(type) != nullptr) == has);
  if (!has) BOOST_TEST_MESSAGE("skipped, this OpenSSL has no " << crypto::facts_of(algorithm).name);
  return has;
}

Pair generate_set(CK_MECHANISM_TYPE type, CK_ULONG set) {
  AttributeSet attributes;
  attributes.set_ulong(CKA_PARAMETER_SET, set);
  return generate(type, attributes);
}

void check_signatures(const Pair& pair, CK_MECHANISM_TYPE pure, CK_MECHANISM_TYPE prehashed,
                      CK_MECHANISM_TYPE hashing) {
  Bytes context = to_bytes(view_of("context"));
  CK_SIGN_ADDITIONAL_CONTEXT deterministic{CKH_DETERMINISTIC_REQUIRED, context.data(), context.size()};
  CK_SIGN_ADDITIONAL_CONTEXT hedged{CKH_HEDGE_REQUIRED, context.data(), context.size()};
  const Bytes fixed = sign(pure, pair.private_key, parameter(deterministic), message);
  BOOST_TEST(sign(pure, pair.private_key, parameter(deterministic), message) == fixed);
  BOOST_TEST(sign(pure, pair.private_key, parameter(hedged), message) != fixed);
  BOOST_TEST(verify(pure, pair.public_key, parameter(hedged), message, fixed).ok());
  BOOST_TEST((verify(pure, pair.public_key, {}, message, fixed).code() == Code::signature_invalid));
  BOOST_TEST(verify(pure, pair.public_key, {}, message, sign(pure, pair.private_key, {}, message)).ok());

  // Hashing in the module and before it are one scheme.
  CK_HASH_SIGN_ADDITIONAL_CONTEXT hashed{CKH_HEDGE_PREFERRED, context.data(), context.size(), CKM_SHA256};
  const Bytes digest = must(crypto::digest(Hash::sha256, message));
  Bytes signature = sign(prehashed, pair.private_key, parameter(hashed), digest);
  BOOST_TEST(verify(hashing, pair.public_key, parameter(hedged), message, signature).ok());
  BOOST_TEST(!verify(pure, pair.public_key, parameter(hedged), message, signature).ok());
  signature.pop_back();
  BOOST_TEST(
      (verify(hashing, pair.public_key, parameter(hedged), message, signature).code() == Code::signature_length));
  hashed.hash = CKM_SHA_1;
  BOOST_TEST((mechanisms().find(prehashed)->sign(pair.private_key, parameter(hashed)).code() ==
              Code::mechanism_param_invalid));
  hedged.hedgeVariant = 3;
  BOOST_TEST(
      (mechanisms().find(pure)->sign(pair.private_key, parameter(hedged)).code() == Code::mechanism_param_invalid));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(post_quantum)

BOOST_AUTO_TEST_CASE(ml_dsa_signs_with_context_and_prehash) {
  if (!listed(CKM_ML_DSA, crypto::KeyAlgorithm::ml_dsa_44)) return;
  for (const CK_ULONG set : {CKP_ML_DSA_44, CKP_ML_DSA_65, CKP_ML_DSA_87})
    check_signatures(generate_set(CKM_ML_DSA_KEY_PAIR_GEN, set), CKM_ML_DSA, CKM_HASH_ML_DSA, CKM_HASH_ML_DSA_SHA256);
}

BOOST_AUTO_TEST_CASE(slh_dsa_signs_with_context_and_prehash) {
  if (!listed(CKM_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_sha2_128s)) return;
  check_signatures(generate_set(CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHA2_128F), CKM_SLH_DSA, CKM_HASH_SLH_DSA,
                   CKM_HASH_SLH_DSA_SHA256);
}

BOOST_AUTO_TEST_CASE(ml_kem_gives_both_sides_one_secret) {
  if (!listed(CKM_ML_KEM, crypto::KeyAlgorithm::ml_kem_512)) return;
  const Mechanism& kem = *mechanisms().find(CKM_ML_KEM);
  for (const CK_ULONG set : {CKP_ML_KEM_512, CKP_ML_KEM_768, CKP_ML_KEM_1024}) {
    const Pair pair = generate_set(CKM_ML_KEM_KEY_PAIR_GEN, set);
    const Encapsulated sent = must(kem.encapsulate(pair.public_key, {}));
    BOOST_TEST(sent.ciphertext.size() == kem.ciphertext_size(pair.public_key));
    const SecretBytes received = must(kem.decapsulate(pair.private_key, {}, sent.ciphertext));
    BOOST_TEST(same_bytes(received.view(), sent.shared_secret.view()));
    BOOST_TEST(received.size() == 32u);
    BOOST_TEST((kem.decapsulate(pair.private_key, {}, ByteView(sent.ciphertext).first(5)).code() ==
                Code::encrypted_data_length));
  }
}

BOOST_AUTO_TEST_SUITE_END()
