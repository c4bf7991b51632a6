// A TPM's word about its keys, checked by the side that has no TPM.
#include <boost/test/unit_test.hpp>
#include <functional>

#include "crypto/digest.h"
#include "esapi/tpm_connection.h"
#include "swtpm/swtpm.h"
#include "tpm_text/exchange_text.h"

namespace cardea::tpm {
namespace {

template <class T>
T ok(Result<T> result) {
  if (!result) throw std::runtime_error(describe(result.error()));
  return std::move(*result);
}
void ok(const Status& status) {
  if (!status) throw std::runtime_error(describe(status.error()));
}

const Bytes nonce(20, 0x5a);
const Bytes unique(32, 7);

SecretBytes key_auth() {
  return SecretBytes(Bytes(auth_size, 5));
}

struct Machine {
  Swtpm swtpm;
  TpmConnection tpm = ok(TpmConnection::open(swtpm.tcti()));

  AttestationStatement attest(const Blob& blob) {
    Loaded key = ok(tpm.load(ok(tpm.storage_key(unique, SecretBytes())), blob));
    key.authorise(key_auth());
    const AttestationKey signer = ok(tpm.attestation_key(unique, SecretBytes()));
    KeyCertification certification = ok(tpm.certify(key, nullptr, signer.key, nonce));
    return {.endorsement_key = ok(tpm.endorsement_key(SecretBytes())).public_area,
            .endorsement_certificate = {},
            .attestation_key = signer.public_area,
            .key = blob.public_area,
            .certification = std::move(certification.statement),
            .signature = std::move(certification.signature)};
  }
  Blob new_key(crypto::KeyAlgorithm algorithm) {
    const Loaded parent = ok(tpm.storage_key(unique, SecretBytes()));
    return ok(tpm.create_key(parent, {.algorithm = algorithm, .bits = 2048}, key_auth()));
  }
  AttestationStatement attest_new_key(crypto::KeyAlgorithm algorithm = crypto::KeyAlgorithm::p256) {
    return attest(new_key(algorithm));
  }
  Result<SecretBytes> activate(const Credential& credential) {
    const Loaded parent = ok(tpm.storage_key(unique, SecretBytes()));
    const AttestationKey signer = ok(tpm.attestation_key(unique, SecretBytes()));
    const EndorsementKey endorsement = ok(tpm.endorsement_key(SecretBytes()));
    return tpm.activate_credential(parent, signer.key, endorsement, SecretBytes(), credential);
  }
};

std::string refusal(const AttestationStatement& statement, const std::optional<Bytes>& expected = nonce) {
  const auto verified = verify_attestation(statement, expected, {});
  return verified ? "" : verified.error().detail;
}

/// TPMS_ATTEST and signature as somebody without a TPM would write them, signed by a software key.
AttestationStatement forged(const AttestationStatement& genuine, std::uint32_t signer_attributes) {
  const auto key = ok(crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256));
  Bytes area;
  for (const std::uint16_t number : {number::ecc, number::sha256}) append_number(area, number, 2);
  append_number(area, signer_attributes, 4);
  append_sized(area, {});
  for (const std::uint16_t number : {number::none, number::ecdsa, number::sha256, std::uint16_t{3}, number::none}) {
    append_number(area, number, 2);
  }
  const Bytes point = ok(key->public_value());
  append_sized(area, ByteView(point).subspan(1, 32));
  append_sized(area, ByteView(point).subspan(33));
  const Certification said = ok(parse_certification(genuine.certification));
  Bytes top;
  append_number(top, number::endorsement, 4);
  const Bytes signer = ok(qualified_name(number::sha256, top, ok(object_name(number::sha256, area))));
  AttestationStatement statement = genuine;
  statement.attestation_key.clear();
  append_sized(statement.attestation_key, area);
  statement.certification.clear();
  append_number(statement.certification, number::generated, 4);
  append_number(statement.certification, number::attest_certify, 2);
  append_sized(statement.certification, signer);
  append_sized(statement.certification, said.nonce);
  statement.certification.insert(statement.certification.end(), 17 + 8, Byte{0});
  append_sized(statement.certification, said.name);
  append_sized(statement.certification, said.qualified_name);
  Bytes raw(64);
  BOOST_REQUIRE(key->ecdsa_sign(ok(crypto::digest(Hash::sha256, statement.certification)), raw).ok());
  statement.signature.clear();
  append_number(statement.signature, number::ecdsa, 2);
  append_number(statement.signature, number::sha256, 2);
  append_sized(statement.signature, ByteView(raw).first(32));
  append_sized(statement.signature, ByteView(raw).subspan(32));
  return statement;
}

constexpr std::uint32_t honest_signer = attribute::fixed_tpm | attribute::fixed_parent | attribute::made_in_tpm |
                                        attribute::user_with_auth | attribute::restricted | attribute::sign;

}  // namespace

BOOST_FIXTURE_TEST_CASE(keys_made_in_the_tpm_are_attested, Machine) {
  for (const auto algorithm : {crypto::KeyAlgorithm::p256, crypto::KeyAlgorithm::rsa}) {
    const AttestationStatement statement = attest_new_key(algorithm);
    const AttestedKey attested = ok(verify_attestation(statement, nonce, {}));
    BOOST_TEST(attested.fresh);
    BOOST_TEST(!attested.endorsed);
    BOOST_TEST((attested.area.key->algorithm() == algorithm));
    BOOST_TEST(!ok(verify_attestation(statement, {}, {})).fresh);
  }
}

BOOST_FIXTURE_TEST_CASE(other_nonces_and_keys_from_elsewhere_are_refused, Machine) {
  const AttestationStatement statement = attest_new_key();
  BOOST_TEST(refusal(statement, Bytes(20, 0x5b)) == "the certification has another nonce");
  BOOST_TEST(refusal(statement, Bytes()) == "the certification has another nonce");
  const auto software = ok(crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256));
  const Blob imported = ok(tpm.import_key(ok(tpm.storage_key(unique, SecretBytes())), *software, key_auth()));
  BOOST_TEST(refusal(attest(imported)) == "the key was made outside the TPM");
  AttestationStatement other = statement;
  other.key = attest_new_key().key;
  BOOST_TEST(refusal(other) == "the certification is about another key");
}

BOOST_FIXTURE_TEST_CASE(no_bit_can_be_changed, Machine) {
  const AttestationStatement statement = attest_new_key();
  const MadeChallenge challenge = ok(make_challenge(statement));
  const SecretBytes answer = ok(activate(challenge.credential));
  for (auto member : {&AttestationStatement::attestation_key, &AttestationStatement::key,
                      &AttestationStatement::certification, &AttestationStatement::signature}) {
    for (std::size_t bit = 0; bit < 8 * (statement.*member).size(); ++bit) {
      AttestationStatement changed = statement;
      (changed.*member)[bit / 8] ^= static_cast<Byte>(1 << bit % 8);
      BOOST_TEST_REQUIRE(!verify_attestation(changed, nonce, {}).ok(), "bit " << bit);
    }
    AttestationStatement cut = statement;
    (cut.*member).pop_back();
    BOOST_TEST(!verify_attestation(cut, nonce, {}).ok());
    cut = statement;
    (cut.*member).push_back(0);
    BOOST_TEST(!verify_attestation(cut, nonce, {}).ok());
  }
  // The endorsement key is not part of what was signed: its certificate or the challenge proves it.
  for (std::size_t bit = 0; bit < 8 * statement.endorsement_key.size(); ++bit) {
    AttestationStatement changed = statement;
    changed.endorsement_key[bit / 8] ^= static_cast<Byte>(1 << bit % 8);
    const bool held =
        verify_attestation(changed, nonce, {}).ok() && check_answer(changed, challenge.kept, answer.view()).ok();
    BOOST_TEST_REQUIRE(!held, "bit " << bit);
  }
}

BOOST_FIXTURE_TEST_CASE(only_the_tpm_with_both_keys_answers_a_challenge, Machine) {
  const AttestationStatement statement = attest_new_key();
  const MadeChallenge made = ok(make_challenge(statement));
  const SecretBytes answer = ok(activate(made.credential));
  ok(check_answer(statement, made.kept, answer.view()));
  Bytes wrong = to_bytes(answer.view());
  wrong[0] ^= 1;
  BOOST_TEST(check_answer(statement, made.kept, wrong).error().detail == "the answer to the challenge is wrong");
  Machine other;
  BOOST_TEST(!other.activate(made.credential).ok());
  const AttestationStatement from_other = other.attest_new_key();
  BOOST_TEST(check_answer(from_other, made.kept, answer.view()).error().detail ==
             "the challenge was for other keys than the statement's");
  // This TPM's endorsement key beside the other one's attestation key: no TPM has both.
  AttestationStatement mixed = from_other;
  mixed.endorsement_key = statement.endorsement_key;
  const MadeChallenge for_mixed = ok(make_challenge(mixed));
  BOOST_TEST(!activate(for_mixed.credential).ok());
  BOOST_TEST(!other.activate(for_mixed.credential).ok());
}

BOOST_FIXTURE_TEST_CASE(what_software_forges_fails_at_the_challenge_at_the_latest, Machine) {
  const AttestationStatement genuine = attest_new_key();
  BOOST_TEST(refusal(forged(genuine, honest_signer & ~attribute::restricted)) ==
             "the attestation key also signs what its TPM did not make");
  BOOST_TEST(refusal(forged(genuine, honest_signer | attribute::decrypt)) ==
             "the attestation key also signs what its TPM did not make");
  const AttestationStatement perfect = forged(genuine, honest_signer);
  BOOST_TEST(refusal(perfect).empty());
  BOOST_TEST(!activate(ok(make_challenge(perfect)).credential).ok());
}

BOOST_FIXTURE_TEST_CASE(texts_come_back_as_they_were, Machine) {
  const AttestationStatement statement = attest_new_key();
  BOOST_TEST((ok(statement_from_text(to_text(statement))) == statement));
  const MadeChallenge made = ok(make_challenge(statement));
  BOOST_TEST((ok(kept_challenge_from_text(to_text(made.kept))) == made.kept));
  const Bytes file = credential_file(made.credential);
  const Credential again = ok(parse_credential_file(file));
  BOOST_TEST(credential_file(again) == file);
  BOOST_TEST(!parse_credential_file(ByteView(file).first(file.size() - 1)).ok());
}

BOOST_FIXTURE_TEST_CASE(wrapped_keys_are_taken_in_and_authorised_anew, Machine) {
  const Bytes point = ok(storage_key_point(ok(tpm.storage_key_area(unique, SecretBytes()))));
  const Loaded parent = ok(tpm.storage_key(unique, SecretBytes()));
  BOOST_TEST((to_bytes(parent.point()) == point));
  const auto software = ok(crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256));
  WrappedKey wrapped = ok(wrap_key(point, *software, {}));
  const Blob imported = ok(tpm.import_wrapped(parent, wrapped));
  const Blob own = ok(tpm.change_auth(parent, imported, key_auth()));
  Loaded key = ok(tpm.load(parent, own));
  Bytes signature(64);
  const Bytes digest(32, 1);
  BOOST_TEST(!tpm.ecdsa_sign(key, nullptr, crypto::KeyAlgorithm::p256, digest, signature).ok());
  key.authorise(key_auth());
  BOOST_TEST(ok(tpm.ecdsa_sign(key, &parent, crypto::KeyAlgorithm::p256, digest, signature)) == 64u);
  ok(software->ecdsa_verify(digest, signature));
  key.flush();
  const std::string text(text_of(to_text(wrapped, true).view()));
  BOOST_TEST(ok(wrapped_key_from_text(text)).duplicate == wrapped.duplicate);
  BOOST_TEST(ok(wrapped_key_from_text(text_of(to_text(wrapped, false).view()))).inner_key.empty());
  wrapped.inner_key.data()[0] ^= 1;
  BOOST_TEST(!tpm.import_wrapped(parent, wrapped).ok());
  wrapped.inner_key.data()[0] ^= 1;
  Machine other;
  BOOST_TEST(!other.tpm.import_wrapped(ok(other.tpm.storage_key(unique, SecretBytes())), wrapped).ok());
}

}  // namespace cardea::tpm
