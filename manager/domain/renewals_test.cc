// Renewal without being asked, for more tokens than are looked at in one call, and beside what is broken.
#include "domain/renewals.h"

#include <boost/test/unit_test.hpp>

#include "domain/audit_log.h"
#include "domain/housekeeping.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::FakeToken;
using testing::parsed;
using testing::Rig;

constexpr std::string_view one_certificate = R"({"device_kinds": ["piv"], "devices_per_person": 0, "history_depth": 0,
    "certificates": [{"container": "authentication", "policy": "authentication"}]})";

// Tokens whose certificates end in ten days.
void issue_some(Rig& rig, int count) {
  for (int i = 0; i < count; ++i) {
    FakeToken card;
    card.serial = std::to_string(2001 + i);
    rig.issue(card);
  }
  for (auto& [id, row] : rig.memory.state.certificates_rows) row.not_after = rig.clock.at + std::chrono::days(10);
}

std::size_t renewals(Rig& rig) {
  std::size_t count = 0;
  for (const auto& [id, row] : rig.memory.state.requests_rows) count += row.kind == "renew" ? 1U : 0U;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(renewals_suite)

BOOST_AUTO_TEST_CASE(all_have_their_turn_although_nobody_collects_the_first) {
  Rig rig(one_certificate);
  issue_some(rig, 5);
  for (const std::size_t expected : {2U, 4U, 5U, 5U, 5U}) {
    BOOST_REQUIRE(request_renewals(rig.ports, 2).ok());
    BOOST_TEST(renewals(rig) == expected);
  }
}

BOOST_AUTO_TEST_CASE(it_begins_again_after_the_last) {
  Rig rig(one_certificate);
  issue_some(rig, 3);
  for (int round = 0; round < 2; ++round) BOOST_REQUIRE(request_renewals(rig.ports, 2).ok());
  BOOST_TEST(renewals(rig) == 3U);
  for (auto& [id, row] : rig.memory.state.requests_rows)
    if (row.kind == "renew") row.state = RequestState::expired;
  for (int round = 0; round < 2; ++round) BOOST_REQUIRE(request_renewals(rig.ports, 2).ok());
  BOOST_TEST(renewals(rig) == 6U);
}

BOOST_AUTO_TEST_CASE(what_is_broken_is_told_and_keeps_nobody_from_the_rest_of_the_house) {
  Rig rig(one_certificate);
  issue_some(rig, 3);
  rig.memory.state.certificates_rows.begin()->second.policy = "gone";
  BOOST_TEST(!rig.memory.state.head.has_value());
  const auto done = keep_house(rig.ports);
  BOOST_REQUIRE(done.ok());
  BOOST_REQUIRE(done->failure.has_value());
  BOOST_TEST((done->failure->code == Code::not_found));
  BOOST_TEST(renewals(rig) == 2U);
  BOOST_REQUIRE(rig.memory.state.head.has_value());
  BOOST_TEST(rig.memory.state.head->number == rig.memory.state.events.back().number);
}

BOOST_AUTO_TEST_CASE(a_profile_that_cannot_be_read_keeps_nobody_else_from_being_renewed) {
  Rig rig(one_certificate);
  issue_some(rig, 1);
  Profile broken = rig.profile;
  broken.id = 9999;
  broken.name = "broken";
  broken.document = parsed(R"({"device_kinds": "piv"})");
  rig.memory.state.profiles_rows[broken.id] = broken;
  BOOST_TEST(!request_renewals(rig.ports, 1000).ok());
  BOOST_TEST(renewals(rig) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
