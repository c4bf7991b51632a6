// The domain's jobs on the real database: what its tests show in memory holds here too.
#include "domain/audit_log.h"
#include "domain/housekeeping.h"
#include "domain/renewals.h"
#include "domain/testing/rig.h"
#include "store/testing.h"

namespace cardea::manager::store {
namespace {

using manager::testing::FakeToken;
using manager::testing::Rig;

BOOST_AUTO_TEST_SUITE(jobs)

BOOST_AUTO_TEST_CASE(a_card_is_issued_renewed_lost_and_replaced) {
  TestStore database;
  Rig rig(Rig::standard_profile, database.store.get());
  FakeToken card;
  rig.issue(card);
  BOOST_TEST(rig.certificates(CertificateState::active).size() == 3U);
  const Id lost = rig.only_token().id;
  const AgentSession renewal = rig.collect(rig.ask("renew", lost));
  BOOST_REQUIRE(rig.work(renewal.job, card).state == NextStep::State::completed);
  BOOST_TEST(card.history.size() == 1U);
  rig.ask("disable", lost);
  rig.work_alone();
  BOOST_TEST((rig.only_token().state == TokenState::disabled));
  rig.ask("enable", lost);
  rig.work_alone();
  rig.ask("cancel", lost, "lost");
  rig.work_alone();
  BOOST_TEST(rig.certificates(CertificateState::active).empty());
  FakeToken spare;
  spare.serial = "1002";
  const AgentSession replacement = rig.collect(rig.ask("replace", lost, "lost"));
  BOOST_REQUIRE(rig.work(replacement.job, spare).state == NextStep::State::completed);
  BOOST_TEST(spare.history.size() == 2U);
  BOOST_TEST(rig.orphans() == 0U);
  const auto kept = keep_house(rig.ports);
  BOOST_REQUIRE(kept.ok());
  BOOST_TEST(!kept->failure);
  const auto verdict = verify_audit_log(rig.ports, rig.admin);
  BOOST_REQUIRE(verdict.ok());
  BOOST_TEST(verdict->intact);
  BOOST_TEST(verdict->head_verified);
}

BOOST_AUTO_TEST_CASE(what_cannot_go_on_is_taken_back) {
  TestStore database;
  Rig rig(Rig::standard_profile, database.store.get());
  FakeToken card;
  rig.authorities.ca->pending = 1;
  rig.authorities.ca->wrong_key = true;
  const AgentSession session = rig.collect(rig.ask("issue"));
  BOOST_TEST((rig.work(session.job, card).state == NextStep::State::failed));
  BOOST_TEST(rig.orphans() == 0U);
  BOOST_TEST((rig.only_token().state == TokenState::stock));
}

BOOST_AUTO_TEST_CASE(renewals_have_their_turn_however_many_are_due) {
  TestStore database;
  Rig rig(
      R"({"device_kinds": ["piv"], "devices_per_person": 0, "history_depth": 0, "certificates": [{"container": "authentication", "policy": "authentication"}]})",
      database.store.get());
  for (const char* serial : {"2001", "2002", "2003"}) {
    FakeToken card;
    card.serial = serial;
    rig.issue(card);
  }
  // Two end at the same second, so the place of the second is by number.
  std::chrono::days left{10};
  for (Certificate row : rig.all(&Transaction::certificates)) {
    row.not_after = rig.clock.at + std::max(left--, std::chrono::days(9));
    must(database.store->transact([&](Transaction& store) { return store.update(row); }));
  }
  const auto renewals = [&] {
    const auto all = rig.all(&Transaction::requests);
    return std::count_if(all.begin(), all.end(), [](const Request& one) { return one.kind == "renew"; });
  };
  for (const int expected : {1, 2, 3, 3, 3}) {
    must(request_renewals(rig.ports, 1));
    BOOST_TEST(renewals() == expected);
  }
}

BOOST_AUTO_TEST_CASE(a_job_that_everybody_left_is_taken_back) {
  TestStore database;
  Rig rig(Rig::standard_profile, database.store.get());
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  rig.work(session.job, card, 12);
  const auto job = [&] { return rig.all(&Transaction::jobs).at(0); };
  BOOST_REQUIRE((job().state == JobState::waiting));
  must(expire_requests(rig.ports));
  BOOST_TEST((job().state == JobState::waiting));
  rig.clock.at += std::chrono::days(31);
  must(expire_requests(rig.ports));
  rig.work_alone();
  BOOST_TEST((job().state == JobState::failed));
  BOOST_TEST(rig.orphans() == 0U);
}

BOOST_AUTO_TEST_CASE(a_long_report_in_any_language_is_kept) {
  TestStore database;
  Rig rig(Rig::standard_profile, database.store.get());
  FakeToken card;
  const Request request = rig.ask("issue");
  const auto code = must(make_code(rig.ports, rig.admin, request.id));
  std::string words;
  while (words.size() < 600) words += "xä";
  const AgentSession session = must(open_agent_session(rig.ports, text_of(code.text.view()), "", "yy" + words));
  const NextStep step = must(next_step(rig.ports, session.job, std::nullopt));
  must(next_step(rig.ports, session.job, StepReport{step.index, false, {}, words, "device_error", true}));
  const std::string kept = rig.all(&Transaction::jobs).at(0).steps.at(step.index).problem;
  BOOST_TEST(kept == words.substr(0, kept.size()));
  BOOST_TEST(kept.size() >= 499U);
}

BOOST_AUTO_TEST_CASE(approvals_and_codes_update_what_was_read_before) {
  TestStore database;
  Rig rig(
      R"({"device_kinds": ["piv"], "approvals": 2, "certificates": [{"container": "authentication", "policy": "authentication"}]})",
      database.store.get());
  const Actor one = rig.officer("one", {"elevated"});
  const Actor two = rig.officer("two", {"elevated"});
  const Request request = rig.ask("issue");
  BOOST_TEST((must(approve_request(rig.ports, one, request.id, "")).state == RequestState::pending));
  BOOST_TEST((must(approve_request(rig.ports, two, request.id, "")).state == RequestState::approved));
  const auto code = must(make_code(rig.ports, rig.admin, request.id));
  BOOST_TEST((open_agent_session(rig.ports, "1-00000000", "", "x").code() == Code::pin_incorrect));
  BOOST_TEST(open_agent_session(rig.ports, text_of(code.text.view()), "", "x").ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::manager::store
