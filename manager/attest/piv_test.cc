// Attestation of PIV cards, with a maker of our own and everything that somebody else could put in its place.
#include <boost/test/unit_test.hpp>

#include <boost/json.hpp>

#include "attest/verifier.h"
#include "card/card_key.h"
#include "card/certificate.h"
#include "x509/encoding.h"

namespace cardea::manager {
namespace {

using vcard::CardKey;
using vcard::CertificateExtension;
using vcard::common_name;
using vcard::KeyType;

template <class T>
T good(Result<T> result) {
  if (!result) throw std::runtime_error(describe(result.error()));
  return std::move(*result);
}

Bytes maker_extension(Byte last) {
  return {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xc4, 0x0a, 0x03, last};
}

/// Certificates with keys, from a maker's root to a key on a card.
struct Maker {
  CardKey root = good(CardKey::generate(KeyType::p256));
  CardKey attesting = good(CardKey::generate(KeyType::p256));
  CardKey key = good(CardKey::generate(KeyType::p256));
  Bytes root_name = common_name("Maker root");
  Bytes attesting_name = common_name("Attestation");
  std::vector<CertificateExtension> statements = {{maker_extension(3), false, {5, 7, 1}},
                                                  {maker_extension(7), false, {0x02, 0x03, 0x01, 0xe2, 0x40}},
                                                  {maker_extension(8), false, {0x02, 0x01}}};

  // Made once: a serial number is random, and trust is in this very certificate.
  Bytes root_certificate =
      good(issue_certificate(root, root_name, root_name, root.public_key_der(), {vcard::basic_constraints(true)}));

  Bytes attesting_certificate() const {
    return good(issue_certificate(root, root_name, attesting_name, attesting.public_key_der(),
                                  {vcard::basic_constraints(true)}));
  }
  Bytes key_certificate() const {
    return good(
        issue_certificate(attesting, attesting_name, common_name("Attestation 9a"), key.public_key_der(), statements));
  }
  std::vector<Bytes> chain() const { return {key_certificate(), attesting_certificate()}; }
};

Result<AttestationFinding> verify(const Maker& trusted, const std::vector<Bytes>& chain, ByteView spki,
                                  std::string_view serial = "123456", std::string_view kind = "piv") {
  json::array list;
  for (const Bytes& one : chain) list.emplace_back(x509::to_base64(one));
  const json::object evidence{{"format", "yubico-piv"}, {"certificates", list}};
  const auto verifier = make_attestation_verifier({{trusted.root_certificate}, {}});
  const Bytes nonce(32, 1);
  return verifier->verify({kind, serial, spki, nonce, evidence});
}

void refused(const Result<AttestationFinding>& verdict, std::string_view words) {
  BOOST_REQUIRE(!verdict.ok());
  BOOST_TEST((verdict.error().detail.find(words) != std::string::npos), verdict.error().detail);
}

BOOST_AUTO_TEST_CASE(a_genuine_attestation_says_what_it_states) {
  const Maker maker;
  const auto verdict = verify(maker, maker.chain(), maker.key.public_key_der());
  BOOST_REQUIRE_MESSAGE(verdict.ok(), (verdict ? "" : describe(verdict.error())));
  BOOST_TEST(verdict->challenge.empty());
  BOOST_TEST(verdict->shown.at("device").as_string() == "piv:123456");
  BOOST_TEST(verdict->shown.at("firmware").as_string() == "5.7.1");
  BOOST_TEST(verdict->shown.at("pin_policy").as_string() == "once");
  BOOST_TEST(verdict->shown.at("touch_policy").as_string() == "never");
  BOOST_TEST(verdict->shown.at("maker").as_string() == "CN=Maker root");
}

BOOST_AUTO_TEST_CASE(another_key_or_token_is_refused) {
  const Maker maker;
  const Maker other;
  refused(verify(maker, maker.chain(), other.key.public_key_der()), "another key");
  refused(verify(maker, maker.chain(), maker.key.public_key_der(), "123457"), "of the token 123456");
  // A serial number that the card's issuer gave it says nothing about the maker's.
  BOOST_TEST(verify(maker, maker.chain(), maker.key.public_key_der(), "00112233445566aa").ok());
}

BOOST_AUTO_TEST_CASE(what_the_maker_did_not_certify_is_refused) {
  const Maker maker;
  const Maker forger;
  refused(verify(maker, forger.chain(), forger.key.public_key_der()), "not certified by a maker");
  // The genuine attestation key's certificate beside a statement that it did not sign.
  refused(verify(maker, {forger.key_certificate(), maker.attesting_certificate()}, forger.key.public_key_der()),
          "not signed by the token's attestation key");
  // A key on a genuine card is no attestation key.
  Maker on_card;
  on_card.statements.clear();
  const Bytes fake = good(issue_certificate(maker.key, common_name("Attestation 9a"), common_name("fake"),
                                            on_card.key.public_key_der(), maker.statements));
  refused(verify(maker, {fake, maker.key_certificate()}, on_card.key.public_key_der()), "not certified by a maker");
  // Nor is the maker's authority, which certifies other things as well.
  refused(verify(maker, {maker.attesting_certificate(), maker.root_certificate}, maker.attesting.public_key_der()),
          "does not state");
}

BOOST_AUTO_TEST_CASE(a_damaged_or_incomplete_statement_is_refused) {
  const Maker maker;
  const Bytes spki = to_bytes(maker.key.public_key_der());
  refused(verify(maker, {maker.key_certificate()}, spki), "two certificates");
  refused(verify(maker, {}, spki), "two certificates");
  Bytes cut = maker.key_certificate();
  cut.pop_back();
  BOOST_TEST(!verify(maker, {cut, maker.attesting_certificate()}, spki).ok());
  for (std::size_t gone = 1; gone < 3; ++gone) {
    Maker silent;
    silent.statements.erase(silent.statements.begin() + static_cast<std::ptrdiff_t>(gone));
    refused(verify(silent, silent.chain(), silent.key.public_key_der()), "does not state");
  }
  Maker negative;
  negative.statements[1].value = {0x02, 0x01, 0x80};
  refused(verify(negative, negative.chain(), negative.key.public_key_der()), "serial number");
  Maker huge;
  huge.statements[1].value = {0x02, 0x06, 0x01, 0, 0, 0, 0, 0};
  refused(verify(huge, huge.chain(), huge.key.public_key_der()), "serial number");
}

BOOST_AUTO_TEST_CASE(kinds_without_a_trusted_maker_are_refused) {
  const Maker maker;
  const auto verifier = make_attestation_verifier({{maker.root_certificate}, {}});
  BOOST_TEST(verifier->trusts("piv"));
  for (const char* kind : {"tpm", "keystore", "gids", ""}) {
    BOOST_TEST(!verifier->trusts(kind), kind);
    refused(verify(maker, maker.chain(), maker.key.public_key_der(), "123456", kind), "is trusted");
  }
}

BOOST_AUTO_TEST_CASE(evidence_of_another_form_is_refused) {
  const Maker maker;
  const auto verifier = make_attestation_verifier({{maker.root_certificate}, {maker.root_certificate}});
  const Bytes spki = to_bytes(maker.key.public_key_der());
  const Bytes nonce(32, 1);
  for (const char* text :
       {R"({})", R"({"format": 1})", R"({"format": "yubico-piv"})", R"({"format": "yubico-piv", "certificates": 1})",
        R"({"format": "yubico-piv", "certificates": [1, 2]})",
        R"({"format": "yubico-piv", "certificates": ["x", "y"]})", R"({"format": "tpm"})",
        R"({"format": "tpm", "statement": "{}"})", R"({"format": "tpm", "statement": "x"})"}) {
    const json::object evidence = json::parse(text).as_object();
    for (const char* kind : {"piv", "tpm"})
      BOOST_TEST(!verifier->verify({kind, "1", spki, nonce, evidence}).ok(), kind << " " << text);
    BOOST_TEST(!verifier->check_answer({"tpm", "1", spki, nonce, evidence}, evidence, nonce).ok(), text);
  }
}

}  // namespace
}  // namespace cardea::manager
