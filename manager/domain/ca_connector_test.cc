#include "domain/ca_connector.h"

#include "base/testing.h"
#include "domain/key_token.h"

using namespace cardea;
using namespace cardea::manager;
using cardea::testing::must;

BOOST_AUTO_TEST_SUITE(ca_connector)

BOOST_AUTO_TEST_CASE(a_ticket_is_spent_once_and_for_its_own_request) {
  IssuanceTicket ticket = IssuanceTicket::for_recorded_intent("r1");
  BOOST_TEST((ticket.spend("r2").code() == Code::action_prohibited));
  IssuanceTicket moved = std::move(ticket);
  BOOST_TEST((ticket.spend("r1").code() == Code::action_prohibited));  // NOLINT(bugprone-use-after-move): the point
  BOOST_TEST(moved.spend("r1").ok());
  BOOST_TEST((moved.spend("r1").code() == Code::action_prohibited));
}

BOOST_AUTO_TEST_CASE(words_and_values_belong_together) {
  for (std::size_t i = 0; i < signing_key_type_count; ++i) {
    const auto type = static_cast<SigningKeyType>(i);
    BOOST_TEST((must(signing_key_type(word(type))) == type));
    BOOST_TEST(fits(type, default_scheme(type)));
    BOOST_TEST(fits(type, default_scheme(type, true)));
  }
  for (std::size_t i = 0; i < signature_scheme_count; ++i) {
    const auto scheme = static_cast<SignatureScheme>(i);
    BOOST_TEST((must(signature_scheme(word(scheme))) == scheme));
  }
  BOOST_TEST(!signing_key_type("dsa"));
  BOOST_TEST(!fits(SigningKeyType::p256, SignatureScheme::rsa_pss_sha256));
  BOOST_TEST((must(alternative_name_kind("upn")) == AlternativeName::Kind::upn));
  BOOST_TEST(!alternative_name_kind("x400"));
}

BOOST_AUTO_TEST_CASE(reasons_for_revocation_in_each_spelling) {
  BOOST_TEST((must(revocation_reason("keyCompromise")) == RevocationReason::key_compromise));
  BOOST_TEST((must(revocation_reason("key_compromise")) == RevocationReason::key_compromise));
  BOOST_TEST((must(revocation_reason("KeyCompromise")) == RevocationReason::key_compromise));
  BOOST_TEST((must(revocation_reason("removeFromCRL")) == RevocationReason::remove_from_crl));
  BOOST_TEST(word(RevocationReason::aa_compromise) == "aACompromise");
  for (const char* text : {"", "_", "lost", "7"}) BOOST_TEST((revocation_reason(text).code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_SUITE_END()
