// The domain's jobs on the real database: what its tests show in memory holds here too.
#include "domain/audit_log.h"
#include "domain/housekeeping.h"
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
  BOOST_TEST(keep_house(rig.ports).ok());
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
