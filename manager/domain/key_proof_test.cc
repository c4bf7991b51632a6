// Proofs that a key is there, against keys of every kind that profiles allow.
#include "domain/key_proof.h"

#include <boost/test/unit_test.hpp>

#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "domain/archive.h"

namespace cardea::manager {
namespace {

BOOST_AUTO_TEST_SUITE(key_proof)

BOOST_AUTO_TEST_CASE(signatures_of_every_profile_algorithm_are_checked) {
  const Bytes nonce(32, 7);
  for (const char* algorithm : {"rsa:2048", "ec:P-256", "ec:P-384", "ec:P-521"}) BOOST_TEST_CONTEXT(algorithm) {
      const FreshKey fresh = *generate_decryption_key(algorithm);
      BOOST_TEST(*key_algorithm_word(fresh.spki) == algorithm);
      const auto key = *crypto::from_private_key_info(fresh.pkcs8.view());
      const Bytes digest = *crypto::digest(Hash::sha256, nonce);
      Bytes signature(key->output_size());
      std::string mechanism = "ecdsa-sha256";
      if (key->facts().family == crypto::KeyFamily::rsa) {
        mechanism = "rsa-pkcs1-sha256";
        BOOST_REQUIRE(key->sign_pkcs1(digest_info_of(Hash::sha256, digest), signature).ok());
      } else {
        const std::size_t size = *key->ecdsa_sign(digest, signature);
        const ByteView flat = ByteView(signature).first(size);
        signature = crypto::der<Bytes>(crypto::der_sequence, {crypto::der_integer<Bytes>(flat.first(size / 2)),
                                                              crypto::der_integer<Bytes>(flat.last(size / 2))});
      }
      BOOST_TEST(check_key_proof(fresh.spki, mechanism, nonce, signature).ok());
      BOOST_TEST(!check_key_proof(fresh.spki, mechanism, Bytes(32, 8), signature).ok());
      BOOST_TEST(!check_key_proof(generate_decryption_key(algorithm)->spki, mechanism, nonce, signature).ok());
      BOOST_TEST(!check_key_proof(fresh.spki, mechanism, nonce, Bytes()).ok());
      BOOST_TEST(!check_key_proof(fresh.spki, "ed25519", nonce, signature).ok());
      BOOST_TEST((check_key_proof(fresh.spki, "crayon", nonce, signature).code() == Code::arguments_bad));
    }
}

BOOST_AUTO_TEST_CASE(pss_proofs_are_checked) {
  const FreshKey fresh = *generate_decryption_key("rsa:2048");
  const auto key = *crypto::from_private_key_info(fresh.pkcs8.view());
  const Bytes nonce(32, 9);
  const Bytes digest = *crypto::digest(Hash::sha384, nonce);
  Bytes signature(key->output_size());
  BOOST_REQUIRE(key->sign_pss(Hash::sha384, Hash::sha384, 48, digest, signature).ok());
  BOOST_TEST(check_key_proof(fresh.spki, "rsa-pss-sha384", nonce, signature).ok());
  BOOST_TEST(!check_key_proof(fresh.spki, "rsa-pss-sha256", nonce, signature).ok());
}

BOOST_AUTO_TEST_CASE(a_request_tells_its_key_and_junk_tells_nothing) {
  for (const char* algorithm : {"rsa:2048", "ec:P-384"}) {
    const FreshKey fresh = *generate_decryption_key(algorithm);
    auto csr = request_for_key(fresh.pkcs8);
    BOOST_REQUIRE_MESSAGE(csr.ok(), (csr ? "" : describe(csr.error())));
    BOOST_TEST((*key_of_request(*csr) == fresh.spki));
    for (std::size_t size = 0; size < csr->size(); size += 7)
      BOOST_TEST(!key_of_request(ByteView(*csr).first(size)).ok());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::manager
