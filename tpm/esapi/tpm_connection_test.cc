#include "esapi/tpm_connection.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "crypto/digest.h"
#include "swtpm/swtpm.h"
#include "swtpm/tpm_filter.h"

namespace cardea::tpm {
namespace {

using crypto::KeyAlgorithm;

SecretBytes secret_of(Byte value, std::size_t size = secret_size) {
  return SecretBytes(Bytes(size, value));
}

/// Nothing for a success.
template <class T>
std::string words_of(const Result<T>& result) {
  return result ? std::string() : describe(result.error());
}

template <class T>
T ok(Result<T> result) {
  if (!result) throw std::runtime_error(describe(result.error()));
  return std::move(*result);
}

struct Rig {
  Swtpm swtpm;
  TpmConnection tpm = ok(TpmConnection::open(swtpm.tcti()));
  Loaded parent = ok(tpm.storage_key(Bytes(32, 7), SecretBytes()));
};

#define REQUIRE_OK(result) BOOST_REQUIRE_EQUAL(words_of(result), "")

Bytes digest_of(std::string_view text, Hash hash = Hash::sha256) {
  return *crypto::digest(hash, view_of(text));
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_tpm_is_no_noise) {
  BOOST_TEST(static_cast<int>(TpmConnection::open("device:/nonexistent/tpm").code()) ==
             static_cast<int>(Code::token_absent));
}

BOOST_AUTO_TEST_CASE(a_mute_tpm_counts_as_lost) {
  Swtpm swtpm;
  const Patience short_one{.usual = std::chrono::milliseconds(300)};
  TpmConnection tpm = ok(TpmConnection::open(swtpm.tcti(), short_one));
  REQUIRE_OK(tpm.lock_out());
  swtpm.mute();
  const auto asked = tpm.lock_out();
  BOOST_TEST((asked.code() == Code::device_error));
  BOOST_TEST(words_of(asked).find("did not answer within 1 second") != std::string::npos);
  BOOST_TEST(!tpm.alive());
  BOOST_TEST(tpm.mute());
  // Connecting anew is bounded as well.
  BOOST_TEST((TpmConnection::open(swtpm.tcti(), short_one).code() == Code::device_error));
  swtpm.resume();
  TpmConnection again = ok(TpmConnection::open(swtpm.tcti()));
  REQUIRE_OK(again.lock_out());
}

BOOST_FIXTURE_TEST_CASE(capabilities_are_those_of_the_tpm, Rig) {
  const auto found = tpm.capabilities();
  REQUIRE_OK(found);
  BOOST_TEST((std::find(found->rsa_bits.begin(), found->rsa_bits.end(), 2048u) != found->rsa_bits.end()));
  BOOST_TEST((std::find(found->curves.begin(), found->curves.end(), KeyAlgorithm::p256) != found->curves.end()));
  const auto state = tpm.lock_out();
  REQUIRE_OK(state);
  BOOST_TEST(!state->active);
  BOOST_TEST(state->limit == 3u);
  Bytes random(100);
  REQUIRE_OK(tpm.random(random));
  BOOST_TEST((random != Bytes(100)));
}

BOOST_FIXTURE_TEST_CASE(the_storage_key_is_the_same_each_time, Rig) {
  const auto other = tpm.storage_key(Bytes(32, 8), SecretBytes());
  REQUIRE_OK(other);
  BOOST_TEST((*tpm.name(parent) != *tpm.name(*other)));
  const auto again = tpm.storage_key(Bytes(32, 7), SecretBytes());
  REQUIRE_OK(again);
  BOOST_TEST((*tpm.name(parent) == *tpm.name(*again)));
}

BOOST_FIXTURE_TEST_CASE(sealed_secrets_open_with_their_authorisation, Rig) {
  const auto blob = tpm.seal(parent, secret_of(1), secret_of(2));
  REQUIRE_OK(blob);
  auto sealed = tpm.load(parent, *blob);
  REQUIRE_OK(sealed);
  sealed->authorise(secret_of(2));
  const auto opened = tpm.unseal(parent, *sealed);
  REQUIRE_OK(opened);
  BOOST_TEST(same_bytes(opened->view(), secret_of(1).view()));
  sealed->authorise(secret_of(3));
  for (int tried = 0; tried < 3; ++tried) {
    BOOST_TEST((tpm.unseal(parent, *sealed).code() == Code::pin_incorrect));
  }
  BOOST_TEST((tpm.unseal(parent, *sealed).code() == Code::pin_locked));
  const auto state = tpm.lock_out();
  REQUIRE_OK(state);
  BOOST_TEST(state->active);
  BOOST_TEST(state->failures == 3u);
}

BOOST_FIXTURE_TEST_CASE(challenges_open_what_is_sealed_under_them, Rig) {
  const auto key_blob = tpm.create_challenge_key(parent, secret_of(9));
  REQUIRE_OK(key_blob);
  auto key = tpm.load(parent, *key_blob);
  REQUIRE_OK(key);
  const auto blob = tpm.seal_under_challenge(parent, secret_of(1), *key);
  REQUIRE_OK(blob);
  auto sealed = tpm.load(parent, *blob);
  REQUIRE_OK(sealed);
  auto challenge = tpm.challenge(parent);
  REQUIRE_OK(challenge);
  const auto answer = challenge_response(secret_of(9), challenge->nonce);
  const auto opened = tpm.unseal(*challenge, *key, answer->view(), *sealed);
  REQUIRE_OK(opened);
  BOOST_TEST(same_bytes(opened->view(), secret_of(1).view()));
  challenge = tpm.challenge(parent);
  REQUIRE_OK(challenge);
  BOOST_TEST((tpm.unseal(*challenge, *key, answer->view(), *sealed).code() == Code::pin_incorrect));
  BOOST_TEST(tpm.unseal(parent, *sealed).ok() == false);
}

BOOST_FIXTURE_TEST_CASE(keys_sign_as_openssl_verifies, Rig) {
  for (const auto curve : {KeyAlgorithm::p256, KeyAlgorithm::p384}) {
    const auto blob = tpm.create_key(parent, {.algorithm = curve}, secret_of(5));
    REQUIRE_OK(blob);
    const auto public_key = TpmConnection::public_key(*blob);
    REQUIRE_OK(public_key);
    auto key = tpm.load(parent, *blob);
    REQUIRE_OK(key);
    key->authorise(secret_of(5));
    for (const Hash hash : {Hash::sha1, Hash::sha256, Hash::sha384, Hash::sha512}) {
      Bytes signature((*public_key)->output_size());
      const Bytes digest = digest_of("message", hash);
      const auto signed_size = tpm.ecdsa_sign(*key, nullptr, curve, digest, signature);
      REQUIRE_OK(signed_size);
      REQUIRE_OK((*public_key)->ecdsa_verify(digest, signature));
      REQUIRE_OK(tpm.ecdsa_sign(*key, &parent, curve, digest, signature));
      REQUIRE_OK((*public_key)->ecdsa_verify(digest, signature));
    }
    const auto peer = crypto::AsymmetricKey::generate(curve);
    REQUIRE_OK(peer);
    Bytes ours(crypto::facts_of(curve).private_size), theirs(ours.size());
    REQUIRE_OK(tpm.ecdh(*key, nullptr, curve, *(*peer)->public_value(), ours));
    REQUIRE_OK((*peer)->derive(*(*public_key)->public_value(), theirs));
    BOOST_TEST((ours == theirs));
  }
}

BOOST_FIXTURE_TEST_CASE(rsa_keys_are_raw, Rig) {
  const auto blob = tpm.create_key(parent, {.algorithm = KeyAlgorithm::rsa, .bits = 2048}, secret_of(5));
  REQUIRE_OK(blob);
  const auto public_key = TpmConnection::public_key(*blob);
  REQUIRE_OK(public_key);
  auto key = tpm.load(parent, *blob);
  REQUIRE_OK(key);
  key->authorise(secret_of(5));
  Bytes message(256, 0x11), ciphertext(256), back(256);
  message[0] = 0;
  REQUIRE_OK((*public_key)->rsa_public_raw(message, ciphertext));
  REQUIRE_OK(tpm.rsa_raw(*key, nullptr, ciphertext, back));
  BOOST_TEST((message == back));
  key->authorise(secret_of(6));
  BOOST_TEST((tpm.rsa_raw(*key, nullptr, ciphertext, back).code() == Code::pin_incorrect));
  BOOST_TEST(tpm.lock_out()->failures == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_rsa_keys_do_is_tried_out, Rig) {
  const auto usual = tpm.rsa_ability();
  REQUIRE_OK(usual);
  BOOST_TEST((*usual == RsaAbility{.bits = RsaAbility::raw}));

  const RawRsaFilter filter(swtpm);
  TpmConnection odd = ok(TpmConnection::open(filter.tcti()));
  const std::size_t before = swtpm.commands();
  const auto found = odd.rsa_ability();
  REQUIRE_OK(found);
  BOOST_TEST(filter.refused() == 1);
  BOOST_TEST(swtpm.commands() - before <= 8u);
  BOOST_TEST(!found->has(RsaAbility::raw));
  BOOST_TEST(found->has(RsaAbility::pkcs1_sign));
  BOOST_TEST(found->has(RsaAbility::pss_with_digest | RsaAbility::pss_with_longest));
  BOOST_TEST(found->has(RsaAbility::pkcs1_decrypt));
  BOOST_TEST(found->has(RsaAbility::oaep_decrypt));
  BOOST_TEST(found->has(bit_of(Hash::sha256)));
  BOOST_TEST(!found->has(bit_of(Hash::sha224)));
  // Nothing of the trial stays: a TPM has room for three, and the storage key is one.
  REQUIRE_OK(tpm.storage_key(Bytes(32, 9), SecretBytes()));
}

BOOST_FIXTURE_TEST_CASE(keys_made_elsewhere_are_taken_in, Rig) {
  for (const auto algorithm : {KeyAlgorithm::rsa, KeyAlgorithm::p256, KeyAlgorithm::p384}) {
    const auto made = algorithm == KeyAlgorithm::rsa ? crypto::AsymmetricKey::generate_rsa(2048, Bytes{1, 0, 1})
                                                     : crypto::AsymmetricKey::generate(algorithm);
    REQUIRE_OK(made);
    const auto blob = tpm.import_key(parent, **made, secret_of(5));
    REQUIRE_OK(blob);
    auto key = tpm.load(parent, *blob);
    REQUIRE_OK(key);
    key->authorise(secret_of(5));
    Bytes out((*made)->output_size());
    if (algorithm == KeyAlgorithm::rsa) {
      Bytes message(256, 0x11), back(256);
      message[0] = 0;
      REQUIRE_OK((*made)->rsa_public_raw(message, out));
      REQUIRE_OK(tpm.rsa_raw(*key, nullptr, out, back));
      BOOST_TEST((message == back));
    } else {
      REQUIRE_OK(tpm.ecdsa_sign(*key, nullptr, algorithm, digest_of("message"), out));
      REQUIRE_OK((*made)->ecdsa_verify(digest_of("message"), out));
    }
  }
  const auto odd = crypto::AsymmetricKey::generate_rsa(2048, Bytes{3});
  REQUIRE_OK(odd);
  BOOST_TEST((tpm.import_key(parent, **odd, secret_of(5)).code() == Code::attribute_value_invalid));
}

BOOST_FIXTURE_TEST_CASE(failures_are_forgotten_on_request, Rig) {
  const auto blob = tpm.seal(parent, secret_of(1), secret_of(2));
  REQUIRE_OK(blob);
  auto sealed = tpm.load(parent, *blob);
  REQUIRE_OK(sealed);
  sealed->authorise(secret_of(3));
  BOOST_TEST((tpm.unseal(parent, *sealed).code() == Code::pin_incorrect));
  BOOST_TEST(tpm.lock_out()->failures == 1u);
  BOOST_TEST(tpm.lock_out()->resettable);
  REQUIRE_OK(tpm.reset_lock_out());
  BOOST_TEST(tpm.lock_out()->failures == 0u);
}

BOOST_FIXTURE_TEST_CASE(other_tpms_cannot_load_a_blob, Rig) {
  const auto blob = tpm.create_key(parent, {.algorithm = KeyAlgorithm::p256}, secret_of(5));
  REQUIRE_OK(blob);
  Rig other;
  BOOST_TEST((other.tpm.load(other.parent, *blob).code() == Code::wrapped_key_invalid));
}

BOOST_FIXTURE_TEST_CASE(a_tpm_that_goes_away_is_noticed, Rig) {
  swtpm.stop();
  Bytes random(8);
  BOOST_TEST((tpm.random(random).code() == Code::device_removed));
  BOOST_TEST(!tpm.alive());
  swtpm.start();
  auto again = TpmConnection::open(swtpm.tcti());
  REQUIRE_OK(again);
  REQUIRE_OK(again->random(random));
}

BOOST_FIXTURE_TEST_CASE(what_a_killed_process_left_is_flushed, Rig) {
  const pid_t child = fork();
  if (child == 0) {
    // Dies with things loaded.
    auto own = TpmConnection::open(swtpm.tcti());
    if (!own) _exit(2);
    std::vector<Loaded> loaded;
    std::vector<Challenge> challenges;
    for (auto more = own->storage_key(Bytes(32, 9), SecretBytes()); more;) {
      loaded.push_back(std::move(*more));
      more = own->storage_key(Bytes(32, 9), SecretBytes());
    }
    if (loaded.empty()) _exit(3);
    for (auto more = own->challenge(loaded.front()); more;) {
      challenges.push_back(std::move(*more));
      more = own->challenge(loaded.front());
    }
    _exit(loaded.size() == 2 && challenges.size() == 3 ? 0 : 1);
  }
  int status = -1;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_REQUIRE_EQUAL(status, 0);
  BOOST_TEST((tpm.storage_key(Bytes(32, 9), SecretBytes()).code() == Code::device_memory));
  parent.flush();
  tpm.flush_leftovers();
  parent = ok(tpm.storage_key(Bytes(32, 7), SecretBytes()));
  REQUIRE_OK(tpm.storage_key(Bytes(32, 9), SecretBytes()));
  REQUIRE_OK(tpm.challenge(parent));
}

BOOST_FIXTURE_TEST_CASE(nothing_stays_loaded, Rig) {
  for (int i = 0; i < 20; ++i) {
    const auto blob = tpm.create_key(parent, {.algorithm = KeyAlgorithm::p256}, secret_of(5));
    REQUIRE_OK(blob);
    const auto key = tpm.load(parent, *blob);
    REQUIRE_OK(key);
  }
}

}  // namespace cardea::tpm
