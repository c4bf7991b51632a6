// What is decided while a job runs: its token is cancelled, its person disabled, its policy changed, its request
// withdrawn; or the agent is gone with what it did.
#include <boost/test/unit_test.hpp>

#include "domain/certificates.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::FakeToken;
using testing::parsed;
using testing::Rig;

// A store that is gone after so many transactions.
class ShortStore : public testing::MemoryStore {
 public:
  Status transact(const std::function<Status(Transaction&)>& work) override {
    if (left == 0) return error(Code::device_error, "planned");
    if (left > 0) --left;
    return MemoryStore::transact(work);
  }
  int left = -1;  ///< negative: any number
};

// Carries a job out up to a step of that kind, which the agent is given and has not begun.
NextStep up_to(Rig& rig, Id job, FakeToken& card, std::string_view kind) {
  std::optional<StepReport> report;
  for (int round = 0; round < 100; ++round) {
    auto next = next_step(rig.ports, job, report);
    BOOST_REQUIRE_MESSAGE(next.ok(), (next ? "" : describe(next.error())));
    BOOST_REQUIRE_MESSAGE(next->state == NextStep::State::step, next->text);
    if (next->kind == kind) return std::move(*next);
    report = StepReport{next->index, true, card.run(*next), "", "", false};
  }
  BOOST_FAIL("the job has no such step");
  return {};
}

NextStep report_done(Rig& rig, Id job, FakeToken& card, const NextStep& step) {
  auto next = next_step(rig.ports, job, StepReport{step.index, true, card.run(step), "", "", false});
  BOOST_REQUIRE_MESSAGE(next.ok(), (next ? "" : describe(next.error())));
  return std::move(*next);
}

std::string policy_without_names() {
  return R"({"subject": [{"type": "CN", "from": "person.badge"}]})";
}

void change_policies(Rig& rig, const std::string& document) {
  for (auto& [id, policy] : rig.memory.state.policies_rows) policy.document = parsed(document);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(meanwhile)

BOOST_AUTO_TEST_CASE(a_token_that_is_cancelled_during_its_renewal_gets_no_live_certificates) {
  for (const char* kind : {"make_request", "write_certificate", "prove_keys"}) BOOST_TEST_CONTEXT("before " << kind) {
      Rig rig;
      FakeToken card;
      rig.issue(card);
      const Id token = rig.only_token().id;
      const AgentSession session = rig.collect(rig.ask("renew", token));
      const NextStep step = up_to(rig, session.job, card, kind);
      rig.ask("cancel", token, "lost");
      rig.work_alone();
      BOOST_TEST((rig.only_token().state == TokenState::cancelled));
      report_done(rig, session.job, card, step);
      const NextStep end = rig.work(session.job, card);
      BOOST_TEST((end.state == NextStep::State::failed));
      BOOST_TEST(rig.certificates(CertificateState::active).empty());
      BOOST_TEST(rig.certificates(CertificateState::issued).empty());
      BOOST_TEST(rig.orphans() == 0U);
      BOOST_TEST(rig.authorities.ca->revoked.size() == rig.authorities.ca->issued.size());
      BOOST_TEST((rig.only_token().state == TokenState::cancelled));
    }
}

BOOST_AUTO_TEST_CASE(a_token_that_is_cancelled_is_not_asked_certificates_for) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep step = up_to(rig, session.job, card, "make_request");
  rig.ask("cancel", rig.only_token().id, "lost");
  rig.work_alone();
  const NextStep end = report_done(rig, session.job, card, step);
  BOOST_TEST((end.state == NextStep::State::failed));
  BOOST_TEST(end.text.find("the token 1001 was cancelled while the job ran") != std::string::npos);
  BOOST_TEST(rig.authorities.ca->issued.empty());
}

BOOST_AUTO_TEST_CASE(nothing_secret_is_handed_out_for_a_token_that_was_withdrawn) {
  for (const char* kind : {"disable", "cancel"}) BOOST_TEST_CONTEXT(kind) {
      Rig rig;
      FakeToken card;
      rig.issue(card);
      const Id token = rig.only_token().id;
      const AgentSession session =
          rig.collect(*rig.agreed(rig.ask("recover", token, "", {{"to", "token"}, {"keys", "all"}}).id));
      const NextStep step = up_to(rig, session.job, card, "inspect_token");
      rig.ask(kind, token, "lost");
      rig.work_alone();
      const auto read = [&] {
        return std::count_if(rig.memory.state.events.begin(), rig.memory.state.events.end(),
                             [](const AuditEvent& event) { return event.action == "key_read"; });
      };
      const auto before = read();
      const NextStep end = report_done(rig, session.job, card, step);
      BOOST_TEST((end.state == NextStep::State::failed));
      BOOST_TEST(end.text.find("while the job ran") != std::string::npos);
      BOOST_TEST(read() == before);
    }
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_revoked_before_it_works_takes_the_job_back) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep step = up_to(rig, session.job, card, "prove_keys");
  RevocationOrder order;
  order.certificates = {rig.certificates(CertificateState::issued).at(0).id};
  BOOST_REQUIRE(revoke_certificates(rig.ports, rig.admin, order).ok());
  const NextStep end = report_done(rig, session.job, card, step);
  BOOST_TEST((end.state == NextStep::State::failed));
  BOOST_TEST(end.text.find("was revoked while the job ran") != std::string::npos);
  BOOST_TEST(rig.certificates(CertificateState::revoked).size() == 3U);
  BOOST_TEST((rig.only_token().state == TokenState::stock));
}

BOOST_AUTO_TEST_CASE(a_person_who_was_disabled_collects_nothing_and_gets_no_more_certificates) {
  const auto disable = [](Rig& rig) {
    Person gone = rig.memory.state.people_rows.at(rig.person.id);
    gone.enabled = false;
    BOOST_REQUIRE(save_person(rig.ports, rig.admin, gone).ok());
  };
  Rig rig;
  const Request request = rig.ask("issue");
  const auto code = make_code(rig.ports, rig.admin, request.id);
  BOOST_REQUIRE(code.ok());
  disable(rig);
  const auto refused = open_agent_session(rig.ports, text_of(code->text.view()), "", "test");
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.code() == Code::permission_denied));
  BOOST_TEST(refused.error().detail == "alice is disabled and gets no credentials");
  BOOST_TEST(rig.memory.state.jobs_rows.empty());

  Rig later;
  FakeToken card;
  const AgentSession session = later.collect(later.ask("issue"));
  const NextStep step = up_to(later, session.job, card, "make_request");
  disable(later);
  const NextStep end = report_done(later, session.job, card, step);
  BOOST_TEST((end.state == NextStep::State::failed));
  BOOST_TEST(end.text.find("alice is disabled") != std::string::npos);
  BOOST_TEST(later.authorities.ca->issued.empty());
}

BOOST_AUTO_TEST_CASE(what_was_issued_is_taken_back_also_when_its_policy_fits_nobody_any_more) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep step = up_to(rig, session.job, card, "write_certificate");
  change_policies(rig, policy_without_names());
  const auto end =
      next_step(rig.ports, session.job, StepReport{step.index, false, {}, "the card is broken", "device_error", false});
  BOOST_REQUIRE_MESSAGE(end.ok(), (end ? "" : describe(end.error())));
  BOOST_TEST((end->state == NextStep::State::failed));
  BOOST_TEST(rig.authorities.ca->revoked.size() == 1U);
  BOOST_TEST(rig.orphans() == 0U);
}

BOOST_AUTO_TEST_CASE(one_certificate_that_cannot_be_taken_back_keeps_nobody_from_the_others) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep step = up_to(rig, session.job, card, "prove_keys");
  // As after a cut between the authority's answer and its record, with names that can be mapped no more.
  const Id first = rig.certificates(CertificateState::issued).at(0).id;
  rig.memory.state.certificates_rows.at(first).state = CertificateState::requested;
  change_policies(rig, policy_without_names());
  const auto end =
      next_step(rig.ports, session.job, StepReport{step.index, false, {}, "the card is broken", "device_error", false});
  BOOST_REQUIRE_MESSAGE(end.ok(), (end ? "" : describe(end.error())));
  BOOST_TEST((end->state == NextStep::State::failed));
  BOOST_TEST(end->text.find("cannot be asked any more") != std::string::npos);
  BOOST_TEST(rig.certificates(CertificateState::revoked).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_card_whose_key_was_replaced_by_a_job_that_nobody_heard_of_again_is_issued) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep step = up_to(rig, session.job, card, "replace_admin_key");
  card.run(step);
  BOOST_REQUIRE(undo_job(rig.ports, rig.admin, session.job, "the agent is gone").ok());
  rig.work_alone();
  BOOST_TEST((rig.only_token().state == TokenState::stock));
  BOOST_TEST(rig.only_token().secret_version == 0U);
  const Bytes key = card.admin_key;
  rig.issue(card);
  BOOST_TEST((card.admin_key == key));
  BOOST_TEST(rig.only_token().secret_version == 1U);
}

BOOST_AUTO_TEST_CASE(a_card_with_somebody_else_s_key_is_refused) {
  Rig rig;
  FakeToken card;
  card.admin_key = Bytes(24, 0x17);
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep end = rig.work(session.job, card);
  BOOST_TEST((end.state == NextStep::State::failed));
  BOOST_TEST(end.text.find("neither the factory's nor one of ours") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_request_is_withdrawn_together_with_its_job) {
  ShortStore store;
  Rig rig(Rig::standard_profile, &store);
  FakeToken card;
  const Request request = rig.ask("issue");
  const AgentSession session = rig.collect(request);
  up_to(rig, session.job, card, "prove_keys");
  store.left = 1;
  BOOST_TEST(cancel_request(rig.ports, rig.admin, request.id).ok());
  BOOST_TEST((store.state.requests_rows.at(request.id).state == RequestState::cancelled));
  BOOST_TEST((store.state.jobs_rows.at(session.job).state == JobState::undoing));
}

BOOST_AUTO_TEST_CASE(a_job_that_everybody_left_is_taken_back_after_30_days) {
  Rig rig;
  FakeToken card;
  const Request request = rig.ask("issue");
  const AgentSession session = rig.collect(request);
  const NextStep step = up_to(rig, session.job, card, "prove_keys");
  rig.clock.at += std::chrono::days(29);
  BOOST_REQUIRE(expire_requests(rig.ports).ok());
  BOOST_TEST((rig.memory.state.jobs_rows.at(session.job).state == JobState::waiting));
  rig.clock.at += std::chrono::days(1);
  BOOST_REQUIRE(expire_requests(rig.ports).ok());
  rig.work_alone();
  const Job& job = rig.memory.state.jobs_rows.at(session.job);
  BOOST_TEST((job.state == JobState::failed));
  BOOST_TEST(job.waits_for == "nobody went on with it for 30 days");
  BOOST_TEST((rig.memory.state.requests_rows.at(request.id).state == RequestState::failed));
  BOOST_TEST(rig.certificates(CertificateState::revoked).size() == 3U);
  BOOST_TEST((rig.only_token().state == TokenState::stock));
  BOOST_TEST((next_step(rig.ports, session.job, StepReport{step.index, true, {}, "", "", false})->state ==
              NextStep::State::failed));
}

BOOST_AUTO_TEST_CASE(a_job_with_a_new_code_is_not_left) {
  Rig rig;
  FakeToken card;
  const Request request = rig.ask("issue");
  const AgentSession session = rig.collect(request);
  up_to(rig, session.job, card, "prove_keys");
  rig.clock.at += std::chrono::days(40);
  BOOST_REQUIRE(make_code(rig.ports, rig.admin, request.id).ok());
  BOOST_REQUIRE(expire_requests(rig.ports).ok());
  BOOST_TEST((rig.memory.state.jobs_rows.at(session.job).state == JobState::waiting));
}

BOOST_AUTO_TEST_CASE(a_job_whose_profile_cannot_be_read_any_more_says_so_and_can_be_given_up) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep step = up_to(rig, session.job, card, "write_certificate");
  rig.memory.state.profiles_rows.at(rig.profile.id).document["device_kinds"] = "abacus";
  const auto next = next_step(rig.ports, session.job, std::nullopt);
  BOOST_REQUIRE(!next.ok());
  BOOST_TEST(next.error().detail.find("the credential profile 'staff' has to be mended before job") == 0U);
  BOOST_REQUIRE(undo_job(rig.ports, rig.admin, session.job, "given up").ok());
  rig.work_alone();
  BOOST_TEST((rig.memory.state.jobs_rows.at(session.job).state == JobState::failed));
  BOOST_TEST(rig.authorities.ca->revoked.size() == 1U);
  BOOST_TEST((rig.only_token().state == TokenState::stock));
  BOOST_TEST((next_step(rig.ports, session.job, StepReport{step.index, true, {}, "", "", false})->state ==
              NextStep::State::failed));
}

BOOST_AUTO_TEST_CASE(a_policy_keeps_the_name_that_archived_keys_know_it_by) {
  Rig rig;
  CertificatePolicy policy = rig.memory.state.policies_rows.begin()->second;
  policy.name = "another";
  const auto saved = save_policy(rig.ports, rig.admin, policy);
  BOOST_REQUIRE(!saved.ok());
  BOOST_TEST((saved.code() == Code::arguments_bad));
  BOOST_TEST(saved.error().detail.find("/name: stays as it is") == 0U);
}

BOOST_AUTO_TEST_CASE(a_report_of_any_size_is_not_kept) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep step = up_to(rig, session.job, card, "generate_key");
  json::object result = card.run(step);
  result["more"] = std::string(100'000, 'x');
  const auto end = next_step(rig.ports, session.job, StepReport{step.index, true, result, "", "", false});
  BOOST_REQUIRE(end.ok());
  BOOST_TEST((end->state == NextStep::State::failed));
  BOOST_TEST(end->text.find("too long") != std::string::npos);
  BOOST_TEST(rig.memory.state.jobs_rows.at(session.job).steps.at(step.index).result.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
