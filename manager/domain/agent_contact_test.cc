// Agents that stay: whom they may speak for, and what they get.
#include "domain/agent_contact.h"

#include <boost/test/unit_test.hpp>

#include "domain/audit_log.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::FakeToken;
using testing::Rig;

/// As an agent proves that it can use the key in a container.
ContactProof proof_of(Rig& rig, FakeToken& token, const std::string& container = "authentication",
                      const std::string& over = "") {
  ContactProof proof;
  proof.nonce = *contact_nonce(rig.ports);
  proof.certificate = token.containers.at(container).certificate;
  NextStep step;
  step.kind = "prove_keys";
  const Bytes message = contact_message(over.empty() ? proof.nonce : over);
  step.parameters["containers"] =
      json::array{json::object{{"container", container}, {"nonce", journal::base64(message)}}};
  const json::object answer = token.run(step);
  const json::object& signature = answer.at("proofs").as_array().at(0).as_object();
  proof.mechanism = journal::text_of(signature, "mechanism");
  proof.signature = journal::bytes_of(signature, "signature");
  return proof;
}

struct IssuedRig : Rig {
  explicit IssuedRig(std::string_view document = standard_profile) : Rig(document) { issue(card); }
  Id token() { return only_token().id; }
  std::vector<WaitingJob> jobs() {
    auto contact = make_contact(ports, proof_of(*this, card));
    BOOST_REQUIRE_MESSAGE(contact.ok(), (contact ? "" : describe(contact.error())));
    return contact->jobs;
  }
  void denied(const ContactProof& proof, std::string_view words) {
    const auto contact = make_contact(ports, proof);
    BOOST_REQUIRE(!contact.ok());
    BOOST_TEST((contact.code() == Code::permission_denied));
    BOOST_TEST((contact.error().detail.find(words) != std::string::npos), contact.error().detail);
  }

  FakeToken card;
};

BOOST_AUTO_TEST_SUITE(agent_contact)

BOOST_AUTO_TEST_CASE(a_renewal_is_carried_out_without_a_code) {
  IssuedRig rig;
  BOOST_TEST(rig.jobs().empty());
  const Request request = rig.ask("renew", rig.token());
  const auto jobs = rig.jobs();
  BOOST_REQUIRE(jobs.size() == 1U);
  BOOST_TEST(jobs[0].request == request.id);
  BOOST_TEST(jobs[0].kind == "renew");
  BOOST_TEST(jobs[0].text == "Renew the credential 'staff' of Alice Archer");
  const ContactProof proof = proof_of(rig, rig.card);
  const auto session = open_contact_session(rig.ports, proof, request.id, "", "laptop");
  BOOST_REQUIRE_MESSAGE(session.ok(), (session ? "" : describe(session.error())));
  BOOST_TEST(job_of_session(rig.ports, session->job, text_of(session->secret.view())).ok());
  const NextStep end = rig.work(session->job, rig.card);
  BOOST_REQUIRE_MESSAGE(end.state == NextStep::State::completed, end.text);
  // The certificate that was replaced speaks for nobody any more.
  rig.denied(proof, "not active");
  BOOST_TEST(rig.jobs().empty());
}

BOOST_AUTO_TEST_CASE(what_was_begun_goes_on_with_its_secret_alone) {
  IssuedRig rig;
  const Request request = rig.ask("renew", rig.token());
  const auto first = open_contact_session(rig.ports, proof_of(rig, rig.card), request.id, "", "laptop");
  BOOST_REQUIRE(first.ok());
  BOOST_TEST(rig.jobs().size() == 1U);
  const auto second = open_contact_session(rig.ports, proof_of(rig, rig.card), request.id, "", "laptop");
  BOOST_TEST((second.code() == Code::session_exists));
  const auto resumed =
      open_contact_session(rig.ports, proof_of(rig, rig.card), request.id, text_of(first->secret.view()), "laptop");
  BOOST_REQUIRE(resumed.ok());
  BOOST_TEST(resumed->job == first->job);
  BOOST_TEST(!job_of_session(rig.ports, first->job, text_of(first->secret.view())).ok());
  rig.clock.at += std::chrono::minutes(15);
  BOOST_TEST(open_contact_session(rig.ports, proof_of(rig, rig.card), request.id, "", "laptop").ok());
}

BOOST_AUTO_TEST_CASE(the_certificate_that_a_renewal_has_just_written_lets_in_to_go_on_with_it) {
  IssuedRig rig;
  const Request request = rig.ask("renew", rig.token());
  const auto session = open_contact_session(rig.ports, proof_of(rig, rig.card), request.id, "", "laptop");
  BOOST_REQUIRE(session.ok());
  const Bytes before = rig.card.containers.at("authentication").certificate;
  for (int i = 0; i < 50 && rig.card.containers.at("authentication").certificate == before; ++i)
    rig.work(session->job, rig.card, 2);
  BOOST_REQUIRE((rig.card.containers.at("authentication").certificate != before));
  BOOST_REQUIRE(rig.certificates(CertificateState::superseded).empty());
  const auto jobs = rig.jobs();
  BOOST_REQUIRE(jobs.size() == 1U);
  const auto again =
      open_contact_session(rig.ports, proof_of(rig, rig.card), request.id, text_of(session->secret.view()), "laptop");
  BOOST_REQUIRE(again.ok());
  BOOST_TEST((rig.work(again->job, rig.card).state == NextStep::State::completed));
}

BOOST_AUTO_TEST_CASE(only_what_acts_on_the_token_in_hand_is_given_out) {
  IssuedRig rig;
  const Id token = rig.token();
  std::vector<Request> others{rig.ask("unblock", token), rig.ask("replace", token, "lost")};
  others.push_back(rig.ask("recover", token, "", {{"keys", "all"}, {"to", "token"}}));
  const Request rotate = rig.ask("rotate", token);
  const auto jobs = rig.jobs();
  BOOST_REQUIRE(jobs.size() == 1U);
  BOOST_TEST(jobs[0].request == rotate.id);
  for (const Request& other : others)
    BOOST_TEST((open_contact_session(rig.ports, proof_of(rig, rig.card), other.id, "", "x").code() == Code::not_found));
  BOOST_TEST((open_contact_session(rig.ports, proof_of(rig, rig.card), 4711, "", "x").code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(the_profile_says_what_goes_without_a_code) {
  std::string document(Rig::standard_profile);
  document.insert(document.rfind('}'), R"(, "without_code": ["retire"])");
  IssuedRig rig(document);
  rig.ask("renew", rig.token());
  BOOST_TEST(rig.jobs().empty());
  for (const char* kind : {"issue", "replace", "recover", "unblock", "nothing"}) {
    std::string bad(Rig::standard_profile);
    bad.insert(bad.rfind('}'), std::string(R"(, "without_code": [")") + kind + R"("])");
    BOOST_TEST(!read_profile(testing::parsed(bad)).ok(), kind);
  }
}

BOOST_AUTO_TEST_CASE(another_persons_token_gets_nothing) {
  IssuedRig rig;
  rig.ask("renew", rig.token());
  Person bob;
  bob.name = "bob";
  bob.display_name = "Bob Baker";
  bob.email = "bob@example.org";
  bob = *save_person(rig.ports, rig.admin, bob);
  const Person alice = rig.person;
  rig.person = bob;
  FakeToken other;
  other.serial = "2002";
  rig.issue(other);
  rig.person = alice;
  const auto contact = make_contact(rig.ports, proof_of(rig, other));
  BOOST_REQUIRE(contact.ok());
  BOOST_TEST(contact->token_serial == "2002");
  BOOST_TEST(contact->jobs.empty());
  const Id request = rig.jobs().at(0).request;
  BOOST_TEST((open_contact_session(rig.ports, proof_of(rig, other), request, "", "x").code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(proofs_that_prove_nothing_are_refused) {
  IssuedRig rig;
  ContactProof proof = proof_of(rig, rig.card);
  proof.certificate = rig.card.containers.at("signature").certificate;
  rig.denied(proof, "not signed by the certificate's key");
  proof = proof_of(rig, rig.card, "authentication", "another nonce");
  rig.denied(proof, "not signed by the certificate's key");
  proof = proof_of(rig, rig.card);
  proof.mechanism = "none";
  rig.denied(proof, "not signed by the certificate's key");
  proof = proof_of(rig, rig.card);
  proof.certificate.pop_back();
  rig.denied(proof, "no certificate");
  proof = proof_of(rig, rig.card);
  rig.clock.at += std::chrono::minutes(5);
  rig.denied(proof, "too old");
  proof = proof_of(rig, rig.card);
  for (const char* nonce : {"", "x", "x-1.00", "-.", ".-", "00-99999999999.00112233445566778899aabbccddeeff"}) {
    proof.nonce = nonce;
    rig.denied(proof, "not one of ours");
  }
  // A ticket is no nonce, and no nonce a ticket.
  const auto contact = make_contact(rig.ports, proof_of(rig, rig.card));
  BOOST_REQUIRE(contact.ok());
  proof.nonce = contact->ticket;
  rig.denied(proof, "not one of ours");
  BOOST_TEST((renew_contact(rig.ports, *contact_nonce(rig.ports)).code() == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(certificates_that_do_not_identify_the_holder_are_refused) {
  IssuedRig rig;
  rig.denied(proof_of(rig, rig.card, "encryption"), "does not identify the holder");
  const ContactProof proof = proof_of(rig, rig.card);
  rig.ask("disable", rig.token());
  rig.work_alone();
  rig.denied(proof, "not active");
  rig.ask("enable", rig.token());
  rig.work_alone();
  BOOST_TEST(rig.jobs().empty());
  Person alice = rig.all(&Transaction::people).at(0);
  alice.enabled = false;
  BOOST_REQUIRE(save_person(rig.ports, rig.admin, alice).ok());
  rig.denied(proof, "disabled");
}

BOOST_AUTO_TEST_CASE(a_ticket_tells_whether_something_waits_and_nothing_else) {
  IssuedRig rig;
  const auto contact = make_contact(rig.ports, proof_of(rig, rig.card));
  BOOST_REQUIRE(contact.ok());
  rig.ask("renew", rig.token());
  auto again = renew_contact(rig.ports, contact->ticket);
  BOOST_REQUIRE(again.ok());
  BOOST_TEST(again->jobs.size() == 1U);
  std::string changed = contact->ticket;
  changed[0] = changed[0] == '9' ? '8' : '9';
  BOOST_TEST((renew_contact(rig.ports, changed).code() == Code::permission_denied));
  rig.clock.at += std::chrono::hours(12);
  BOOST_TEST((renew_contact(rig.ports, contact->ticket).code() == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(every_session_is_in_the_audit_log) {
  IssuedRig rig;
  const Request request = rig.ask("renew", rig.token());
  BOOST_REQUIRE(open_contact_session(rig.ports, proof_of(rig, rig.card), request.id, "", "laptop").ok());
  bool found = false;
  BOOST_REQUIRE(rig.store
                    .read([&](Transaction& store) -> Status {
                      CARDEA_ASSIGN(const auto events, store.audit(1, 1000));
                      for (const AuditEvent& event : events)
                        found = found || (event.action == "contact_session" && event.actor == "agent:laptop");
                      return {};
                    })
                    .ok());
  BOOST_TEST(found);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::manager
