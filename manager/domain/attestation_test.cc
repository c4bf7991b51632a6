// What a profile may demand of where keys were made, with a simulated token and maker.
#include <boost/test/unit_test.hpp>

#include "crypto/digest.h"
#include "domain/testing/fake_verifier.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::FakeToken;
using testing::FakeVerifier;
using testing::Rig;

std::string demanding(std::string_view policy = "required", std::string_view more = "") {
  return std::string(R"({"device_kinds": ["piv", "keystore", "tpm"], "attestation": ")") + std::string(policy) +
         R"(", "certificates": [
      {"container": "encryption", "policy": "encryption", "archived": true, "algorithm": "ec:P-256"},
      {"container": "authentication", "policy": "authentication")" +
         std::string(more) + R"(},
      {"container": "signature", "policy": "signature"}]})";
}

struct AttestedRig : Rig {
  explicit AttestedRig(const std::string& document = demanding()) : Rig(document) { ports.attestation = &verifier; }

  /// How the issuance ends, in words; the authority was not asked for anything when it fails.
  std::string refusal(FakeToken& token) {
    const NextStep end = work(collect(ask("issue")).job, token);
    BOOST_TEST((end.state == NextStep::State::failed));
    BOOST_TEST(authorities.ca->issued.empty());
    BOOST_TEST(all(&Transaction::certificates).empty());
    BOOST_TEST((only_state() != TokenState::issued));
    return end.text;
  }
  TokenState only_state() {
    const auto tokens = all(&Transaction::tokens);
    return tokens.empty() ? TokenState::stock : tokens[0].state;
  }

  FakeVerifier verifier;
};

bool says(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(attestation)

BOOST_AUTO_TEST_CASE(keys_that_a_card_attests_are_certified_and_the_finding_is_kept) {
  AttestedRig rig;
  FakeToken card;
  rig.issue(card);
  const Token token = rig.only_token();
  BOOST_TEST(token.attestation.size() == 2U);
  BOOST_TEST(token.attestation.at("signature").at("device").as_string() == "fake:1");
  for (const Certificate& row : rig.certificates(CertificateState::active)) {
    BOOST_TEST(row.attestation.empty() == (row.container == "encryption"));
    if (!row.attestation.empty()) BOOST_TEST(row.attestation.at("device").as_string() == "fake:1");
  }
}

BOOST_AUTO_TEST_CASE(every_key_is_attested_before_an_authority_is_asked) {
  AttestedRig rig;
  FakeToken card;
  rig.issue(card);
  const Job job = rig.all(&Transaction::jobs).at(0);
  std::size_t verified = 0;
  for (const Step& step : job.steps) {
    if (step.kind == "verify_attestation") ++verified;
    if (step.kind == "issue_certificate" || step.kind == "generate_archived_key") BOOST_TEST(verified == 2U);
  }
}

BOOST_AUTO_TEST_CASE(a_tpm_card_counts_once_it_has_answered) {
  AttestedRig rig;
  FakeToken card;
  card.kind = "tpm";
  card.exists = false;
  rig.issue(card);
  BOOST_TEST(rig.only_token().attestation.size() == 2U);
  AttestedRig other;
  FakeToken liar;
  liar.kind = "tpm";
  liar.exists = false;
  liar.right_answer = false;
  BOOST_TEST(says(other.refusal(liar), "the answer is wrong"));
}

BOOST_AUTO_TEST_CASE(what_does_not_hold_is_taken_back_before_anything_is_issued) {
  {
    AttestedRig rig;
    FakeToken card;
    card.true_statement = false;
    BOOST_TEST(says(rig.refusal(card), "nobody trusted said so"));
    BOOST_TEST(rig.only_token().attestation.empty());
  }
  {
    AttestedRig rig;
    FakeToken card;
    card.attests_other_key = true;
    BOOST_TEST(says(rig.refusal(card), "about another key"));
  }
  {
    AttestedRig rig(demanding("required", R"(, "pin_policy": "always")"));
    FakeToken card;
    card.attested_pin_policy = "never";
    BOOST_TEST(says(rig.refusal(card), "'never' and not 'always'"));
  }
}

BOOST_AUTO_TEST_CASE(a_token_that_attests_nothing_is_refused_before_it_is_touched) {
  {
    AttestedRig rig;
    FakeToken keystore;
    keystore.kind = "keystore";
    keystore.exists = false;
    BOOST_TEST(says(rig.refusal(keystore), "trusts no maker of tokens of the kind keystore"));
    BOOST_TEST(!keystore.exists);
  }
  {
    AttestedRig rig;
    FakeToken card;
    card.device.clear();
    BOOST_TEST(says(rig.refusal(card), "does not say where its keys were made"));
    BOOST_TEST(card.admin_key.empty());
    BOOST_TEST(card.containers.empty());
  }
  {
    AttestedRig rig;
    rig.ports.attestation = nullptr;
    FakeToken card;
    BOOST_TEST(says(rig.refusal(card), "[attestation]"));
  }
}

BOOST_AUTO_TEST_CASE(a_renewed_certificate_is_for_an_attested_key_too) {
  AttestedRig rig;
  FakeToken card;
  rig.issue(card);
  const Id token = rig.only_token().id;
  const auto renew = [&] { return rig.work(rig.collect(rig.ask("renew", token)).job, card); };
  NextStep end = renew();
  BOOST_REQUIRE_MESSAGE(end.state == NextStep::State::completed, end.text);
  for (const Certificate& row : rig.certificates(CertificateState::active))
    BOOST_TEST(row.attestation.empty() == (row.container == "encryption"));
  const std::size_t issued = rig.authorities.ca->issued.size();
  // A key that the token attests, and a request for another.
  card.attests_other_key = true;
  end = renew();
  BOOST_TEST((end.state == NextStep::State::failed));
  BOOST_TEST(says(end.text, "about another key than the certificate"));
  card.attests_other_key = false;
  card.device = "fake:2";
  end = renew();
  BOOST_TEST(says(end.text, "fake:1"));
  BOOST_TEST(rig.authorities.ca->issued.size() == issued);
  BOOST_TEST(rig.certificates(CertificateState::active).size() == 3U);
}

BOOST_AUTO_TEST_CASE(where_it_is_only_wanted_its_absence_is_noted) {
  AttestedRig rig(demanding("wanted"));
  FakeToken card;
  card.true_statement = false;
  rig.issue(card);
  BOOST_TEST(rig.only_token().attestation.empty());
  BOOST_TEST(rig.certificates(CertificateState::active).size() == 3U);
  AttestedRig tpm(demanding("wanted"));
  FakeToken liar;
  liar.kind = "tpm";
  liar.exists = false;
  liar.right_answer = false;
  tpm.issue(liar);
  BOOST_TEST(tpm.only_token().attestation.empty());
}

BOOST_AUTO_TEST_CASE(a_statement_of_any_length_is_not_kept) {
  AttestedRig rig;
  FakeToken card;
  card.device = std::string(40'000, 'x');
  BOOST_TEST(says(rig.refusal(card), "too long"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::manager
