// Jobs from request to end, with a simulated token and authority.
#include <boost/test/unit_test.hpp>

#include "domain/audit_log.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::FakeToken;
using testing::Rig;

BOOST_AUTO_TEST_SUITE(journal_suite)

BOOST_AUTO_TEST_CASE(a_piv_card_is_issued_with_three_certificates_and_secrets_of_its_own) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  BOOST_TEST(rig.certificates(CertificateState::active).size() == 3U);
  const Token token = rig.only_token();
  BOOST_TEST((token.state == TokenState::issued));
  BOOST_TEST(token.secret_version == 1U);
  BOOST_TEST(token.puk_version == 1U);
  BOOST_TEST(card.puk != "12345678");
  BOOST_TEST(card.admin_key.size() == 24U);
  BOOST_TEST(rig.memory.state.archived_keys_rows.size() == 1U);
  BOOST_TEST(rig.orphans() == 0U);
  auto verdict = verify_audit_log(rig.ports, rig.admin);
  BOOST_REQUIRE(verdict.ok());
  BOOST_TEST(verdict->intact);
}

BOOST_AUTO_TEST_CASE(tokens_that_are_made_get_their_own_secrets_after_they_exist) {
  for (const char* kind : {"keystore", "tpm"}) {
    Rig rig;
    FakeToken token;
    token.kind = kind;
    token.exists = false;
    rig.issue(token);
    BOOST_TEST(rig.certificates(CertificateState::active).size() == 3U);
    BOOST_TEST(rig.only_token().puk_version == 1U);
    BOOST_TEST((rig.only_token().state == TokenState::issued));
  }
}

BOOST_AUTO_TEST_CASE(renewal_keeps_keys_supersedes_certificates_and_moves_the_old_decryption_key_to_history) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  const Bytes authentication = card.containers["authentication"].spki;
  const Bytes decryption = card.containers["encryption"].spki;
  const AgentSession session = rig.collect(rig.ask("renew", rig.only_token().id));
  const NextStep end = rig.work(session.job, card);
  BOOST_REQUIRE_MESSAGE(end.state == NextStep::State::completed, end.text);
  BOOST_TEST((card.containers["authentication"].spki == authentication));
  BOOST_TEST((card.containers["encryption"].spki != decryption));
  BOOST_REQUIRE(card.history.size() == 1U);
  BOOST_TEST((card.history[0] == decryption));
  BOOST_TEST(rig.certificates(CertificateState::active).size() == 3U);
  BOOST_TEST(rig.certificates(CertificateState::superseded).size() == 3U);
}

BOOST_AUTO_TEST_CASE(the_replacement_of_a_lost_card_holds_the_decryption_keys_of_all_generations) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  std::vector<Bytes> generations;
  for (int i = 0; i < 3; ++i) {
    generations.push_back(card.containers["encryption"].spki);
    const AgentSession session = rig.collect(rig.ask("renew", rig.only_token().id));
    BOOST_REQUIRE(rig.work(session.job, card).state == NextStep::State::completed);
    rig.clock.at += std::chrono::hours(24);
  }
  generations.push_back(card.containers["encryption"].spki);
  const Id lost = rig.only_token().id;
  rig.ask("cancel", lost, "lost");
  rig.work_alone();
  BOOST_TEST((rig.memory.state.tokens_rows.at(lost).state == TokenState::cancelled));
  BOOST_TEST(rig.certificates(CertificateState::active).empty());
  BOOST_TEST(rig.authorities.ca->revoked.size() == rig.authorities.ca->issued.size());
  for (const auto& [certificate, reason] : rig.authorities.ca->revoked)
    BOOST_TEST((reason == RevocationReason::key_compromise));

  FakeToken spare;
  spare.serial = "1002";
  const AgentSession session = rig.collect(rig.ask("replace", lost, "lost"));
  const NextStep end = rig.work(session.job, spare);
  BOOST_REQUIRE_MESSAGE(end.state == NextStep::State::completed, end.text);
  BOOST_REQUIRE(spare.history.size() == 4U);
  for (std::size_t i = 0; i < 4; ++i) BOOST_TEST((spare.history[i] == generations[3 - i]));
  BOOST_TEST(rig.orphans() == 0U);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_on_the_token_is_told) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  for (int i = 0; i < 2; ++i) {
    const AgentSession session = rig.collect(rig.ask("renew", rig.only_token().id));
    BOOST_REQUIRE(rig.work(session.job, card).state == NextStep::State::completed);
    rig.clock.at += std::chrono::hours(1);
  }
  card.history_places = 1;
  const AgentSession session = rig.collect(rig.ask("renew", rig.only_token().id));
  const NextStep end = rig.work(session.job, card);
  BOOST_TEST(end.text == "Done; 2 former keys did not fit on the token");
}

// An agent that was taken over, or is of another making, must not bring a job or the daemon down by what it says.
BOOST_AUTO_TEST_CASE(facts_that_make_no_sense_are_refused_and_the_job_goes_on) {
  Rig rig;
  const AgentSession session = rig.collect(rig.ask("issue"));
  auto first = next_step(rig.ports, session.job, std::nullopt);
  BOOST_REQUIRE(first.ok());
  BOOST_REQUIRE(first->kind == "inspect_token");
  for (const char* facts :
       {R"({})", R"({"kind": 5})", R"({"kind": "piv", "serial": "1001", "containers": 5})",
        R"({"kind": "piv", "serial": "1001", "containers": ["encryption"]})",
        R"({"kind": "piv", "serial": "1001", "containers": [null]})",
        R"({"kind": "piv", "serial": "1001", "containers": [[]]})",
        R"({"kind": "piv", "serial": "1001", "containers": [{"container": 1, "spki": {}, "certificate_sha256": []}]})",
        R"({"kind": "piv", "serial": "1001", "containers": [{"container": "encryption", "spki": "%"}]})",
        R"({"kind": "piv", "serial": "1001", "factory": true, "pin": [], "free_history": -1})"}) {
    const auto refused =
        next_step(rig.ports, session.job, StepReport{first->index, true, testing::parsed(facts), "", "", false});
    BOOST_TEST_CONTEXT(facts) {
      BOOST_TEST((refused.code() == Code::arguments_bad));
      BOOST_TEST((refused.ok() || refused.error().detail.starts_with("/report/result/")));
    }
  }
  const Job job = rig.memory.state.jobs_rows.at(session.job);
  BOOST_TEST((job.state == JobState::ready || job.state == JobState::waiting));
  // What is well-formed but says nothing that is true of tokens is taken as it is.
  FakeToken card;
  json::object strange = card.run(*first);
  strange["factory"] = testing::parsed(R"({"admin_key": "yes", "puk": 7})");
  strange["pin"] = testing::parsed(R"({"initialized": [], "retries_left": {}})");
  strange["containers"].as_array().push_back(
      testing::parsed(R"({"container": "encryption", "spki": "AAAA", "certificate_sha256": ""})"));
  auto taken = next_step(rig.ports, session.job, StepReport{first->index, true, strange, "", "", false});
  BOOST_REQUIRE_MESSAGE(taken.ok(), (taken ? "" : describe(taken.error())));
  BOOST_TEST((taken->state == NextStep::State::step));
  const NextStep end = rig.work(session.job, card);
  BOOST_REQUIRE_MESSAGE(end.state == NextStep::State::completed, end.text);
}

BOOST_AUTO_TEST_CASE(disable_suspends_enable_lifts_it_and_retire_restores_the_factory) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  const Id id = rig.only_token().id;
  rig.ask("disable", id);
  rig.work_alone();
  BOOST_TEST((rig.only_token().state == TokenState::disabled));
  BOOST_TEST(rig.authorities.ca->suspended.size() == 3U);
  rig.ask("enable", id);
  rig.work_alone();
  BOOST_TEST((rig.only_token().state == TokenState::issued));
  BOOST_TEST(rig.authorities.ca->suspended.empty());
  const AgentSession session = rig.collect(rig.ask("retire", id, "left"));
  BOOST_REQUIRE(rig.work(session.job, card).state == NextStep::State::completed);
  BOOST_TEST((rig.only_token().state == TokenState::retired));
  BOOST_TEST(rig.only_token().secret_version == 0U);
  BOOST_TEST(card.puk == "12345678");
  BOOST_TEST(card.admin_key.empty());
  BOOST_TEST(rig.certificates(CertificateState::revoked).size() == 3U);
  rig.issue(card);  // and it can be issued again
}

BOOST_AUTO_TEST_CASE(a_puk_is_used_once) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  const std::string before = card.puk;
  card.blocked = true;
  const AgentSession session = rig.collect(rig.ask("unblock", rig.only_token().id));
  BOOST_REQUIRE(rig.work(session.job, card).state == NextStep::State::completed);
  BOOST_TEST(!card.blocked);
  BOOST_TEST(card.puk != before);
  BOOST_TEST(rig.only_token().puk_version == 2U);
}

BOOST_AUTO_TEST_CASE(secrets_are_rotated) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  const Bytes before = card.admin_key;
  const AgentSession session = rig.collect(rig.ask("rotate", rig.only_token().id));
  BOOST_REQUIRE(rig.work(session.job, card).state == NextStep::State::completed);
  BOOST_TEST((card.admin_key != before));
  BOOST_TEST(rig.only_token().secret_version == 2U);
}

BOOST_AUTO_TEST_CASE(a_pending_authority_is_asked_again_by_its_schedule) {
  Rig rig;
  FakeToken card;
  rig.authorities.ca->pending = 4;
  const Time begin = rig.clock.at;
  rig.issue(card);
  BOOST_TEST((rig.clock.at - begin >= std::chrono::seconds(15 + 60 + 60 + 60)));
  BOOST_TEST(rig.certificates(CertificateState::active).size() == 3U);
}

BOOST_AUTO_TEST_CASE(an_authority_that_refuses_or_certifies_another_key_has_the_job_taken_back) {
  for (const bool wrong_key : {false, true}) {
    Rig rig;
    FakeToken card;
    rig.authorities.ca->reject = !wrong_key;
    rig.authorities.ca->wrong_key = wrong_key;
    const AgentSession session = rig.collect(rig.ask("issue"));
    const NextStep end = rig.work(session.job, card);
    BOOST_TEST((end.state == NextStep::State::failed));
    BOOST_TEST((rig.only_token().state == TokenState::stock));
    BOOST_TEST(rig.orphans() == 0U);
    BOOST_TEST(end.text.find(wrong_key ? "another key" : "not today") != std::string::npos);
    rig.authorities.ca->reject = rig.authorities.ca->wrong_key = false;
    rig.issue(card);  // and the same card can be issued afterwards
  }
}

BOOST_AUTO_TEST_CASE(another_token_is_asked_for_until_the_right_one_comes) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  FakeToken other;
  other.serial = "9999";
  const AgentSession session = rig.collect(rig.ask("renew", rig.only_token().id));
  const NextStep wrong = rig.work(session.job, other, 6);
  BOOST_TEST((wrong.state != NextStep::State::completed));
  BOOST_TEST((rig.work(session.job, card).state == NextStep::State::completed));
}

BOOST_AUTO_TEST_CASE(a_false_proof_takes_the_job_back) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  std::optional<StepReport> report;
  NextStep next;
  for (int i = 0; i < 60; ++i) {
    next = *next_step(rig.ports, session.job, report);
    if (next.state != NextStep::State::step) break;
    if (next.kind == "prove_keys")
      card.containers["signature"].pkcs8 = std::move(*generate_decryption_key("ec:P-256")).pkcs8;
    report = StepReport{next.index, true, card.run(next), "", "", false};
  }
  BOOST_TEST((next.state == NextStep::State::failed));
  BOOST_TEST(next.text.find("signature") != std::string::npos);
  BOOST_TEST(rig.orphans() == 0U);
  BOOST_TEST(rig.authorities.ca->revoked.size() == 3U);
}

BOOST_AUTO_TEST_CASE(recovered_keys_come_onto_the_token_once_two_others_agreed) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  const Id id = rig.only_token().id;
  const AgentSession renewal = rig.collect(rig.ask("renew", id));
  BOOST_REQUIRE(rig.work(renewal.job, card).state == NextStep::State::completed);
  card.history.clear();
  const Request request = rig.ask("recover", id, "", {{"to", "token"}, {"keys", "all"}});
  BOOST_TEST((request.state == RequestState::pending));
  for (const char* name : {"one", "two"})
    BOOST_REQUIRE(approve_request(rig.ports, rig.officer(name, {"key_recovery"}), request.id, "").ok());
  const AgentSession session = rig.collect(request);
  BOOST_REQUIRE(rig.work(session.job, card).state == NextStep::State::completed);
  BOOST_TEST(card.history.size() == 2U);
}

BOOST_AUTO_TEST_CASE(an_update_adds_what_the_profile_names_and_revokes_what_it_no_longer_does) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  Profile changed = rig.profile;
  changed.document = testing::parsed(R"({"device_kinds": ["piv"], "certificates": [
      {"container": "authentication", "policy": "authentication"},
      {"container": "card_authentication", "policy": "authentication"},
      {"container": "encryption", "policy": "encryption", "archived": true, "algorithm": "ec:P-256"}]})");
  BOOST_REQUIRE(save_profile(rig.ports, rig.admin, changed).ok());
  const AgentSession session = rig.collect(rig.ask("update", rig.only_token().id));
  const NextStep end = rig.work(session.job, card);
  BOOST_REQUIRE_MESSAGE(end.state == NextStep::State::completed, end.text);
  BOOST_TEST(rig.certificates(CertificateState::active).size() == 3U);
  const auto revoked = rig.certificates(CertificateState::revoked);
  BOOST_REQUIRE(revoked.size() == 1U);
  BOOST_TEST(revoked[0].container == "signature");
}

BOOST_AUTO_TEST_CASE(a_card_without_card_uuid_gets_one) {
  Rig rig;
  FakeToken card;
  card.lacks_card_uuid = true;
  rig.issue(card);
  BOOST_TEST(!card.lacks_card_uuid);
}

BOOST_AUTO_TEST_CASE(a_blank_card_is_initialised_and_then_issued_like_any_other) {
  Rig rig;
  FakeToken card;
  card.kind = "gids";
  card.blank = true;
  rig.issue(card);
  BOOST_TEST(!card.blank);
  BOOST_TEST(card.admin_key.size() == 24U);
  const Token token = rig.only_token();
  BOOST_TEST(token.serial == card.serial);
  BOOST_TEST(token.secret_version == 1U);
  BOOST_TEST((token.state == TokenState::issued));
}

BOOST_AUTO_TEST_CASE(a_blank_card_is_none_of_a_registered_stock) {
  std::string document(Rig::standard_profile);
  document.insert(document.rfind('}'), R"(, "registered_stock_only": true)");
  Rig rig(document);
  FakeToken card;
  card.kind = "gids";
  card.blank = true;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep end = rig.work(session.job, card);
  BOOST_TEST((end.state == NextStep::State::failed));
  BOOST_TEST((end.text.find("blank") != std::string::npos), end.text);
  BOOST_TEST(card.blank);
}

BOOST_AUTO_TEST_CASE(an_existing_decryption_key_is_shared_by_several_devices) {
  Rig rig(R"({"device_kinds": ["piv"], "devices_per_person": 2, "history_depth": 0, "certificates": [
      {"container": "authentication", "policy": "authentication"},
      {"container": "encryption", "policy": "encryption", "source": "use_existing", "algorithm": "ec:P-256"}]})");
  FakeToken first;
  rig.issue(first);
  FakeToken second;
  second.serial = "1002";
  rig.issue(second);
  BOOST_TEST((first.containers["encryption"].spki == second.containers["encryption"].spki));
  BOOST_TEST((first.containers["authentication"].spki != second.containers["authentication"].spki));
  BOOST_TEST(rig.memory.state.archived_keys_rows.size() == 1U);
}

BOOST_AUTO_TEST_CASE(names_that_cannot_be_certified_are_found_before_a_key_is_made) {
  Rig rig;
  Person nameless = rig.person;
  nameless.display_name.clear();
  rig.person = *save_person(rig.ports, rig.admin, nameless);
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep end = rig.work(session.job, card);
  BOOST_TEST((end.state == NextStep::State::failed));
  BOOST_TEST((end.text.find("person.display_name") != std::string::npos));
  BOOST_TEST(card.containers.empty());
}

BOOST_AUTO_TEST_CASE(a_withdrawn_request_takes_its_job_back) {
  Rig rig;
  FakeToken card;
  const Request request = rig.ask("issue");
  const AgentSession session = rig.collect(request);
  rig.work(session.job, card, 12);
  BOOST_REQUIRE(cancel_request(rig.ports, rig.admin, request.id).ok());
  const NextStep end = rig.work(session.job, card);
  BOOST_TEST((end.state == NextStep::State::failed));
  BOOST_TEST(rig.orphans() == 0U);
  BOOST_TEST((rig.only_token().state == TokenState::stock));
  BOOST_TEST((rig.memory.state.requests_rows.at(request.id).state == RequestState::cancelled));
}

BOOST_AUTO_TEST_CASE(a_job_that_is_completed_is_not_given_up_any_more) {
  Rig rig;
  FakeToken card;
  const AgentSession given_up = rig.collect(rig.ask("issue"));
  for (int again = 0; again < 2; ++again) {
    const auto job = undo_job(rig.ports, rig.admin, given_up.job, "nobody came");
    BOOST_REQUIRE_MESSAGE(job.ok(), (job ? "" : describe(job.error())));
    BOOST_TEST((job->state == JobState::undoing));
    BOOST_TEST(job->waits_for == "nobody came (manager)");
  }
  rig.issue(card);
  const Id done = rig.memory.state.jobs_rows.rbegin()->first;
  const auto refused = undo_job(rig.ports, rig.admin, done, "too late");
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.code() == Code::action_prohibited));
  BOOST_TEST((rig.memory.state.jobs_rows.at(done).state == JobState::completed));
}

BOOST_AUTO_TEST_CASE(a_job_says_where_it_stands) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  BOOST_TEST(job_sentence(rig.memory.state.jobs_rows.at(session.job)) == "Step 1 of 2: Reading the token.");
  auto next = next_step(rig.ports, session.job, std::nullopt);
  next = next_step(rig.ports, session.job,
                   StepReport{next->index, false, {}, "the card was pulled", "device_removed", true});
  const std::string sentence = job_sentence(rig.memory.state.jobs_rows.at(session.job));
  BOOST_TEST((sentence.find("last problem: the card was pulled") != std::string::npos));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::manager
