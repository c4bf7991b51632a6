#include "domain/audit.h"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include "base/testing.h"

namespace cardea::manager {
namespace {

std::vector<AuditEvent> chain_of(int count) {
  std::vector<AuditEvent> events;
  Bytes previous = audit_chain_start();
  for (int i = 1; i <= count; ++i) {
    AuditEvent event;
    event.number = static_cast<std::uint64_t>(i);
    event.at = Time(std::chrono::seconds(1'700'000'000 + i));
    event.actor = "operator:alice";
    event.action = "token_issued";
    event.subject = "token:" + std::to_string(i);
    event.detail = {{"b", i}, {"a", "x"}};
    event.previous = previous;
    event.hash = testing::must(audit_hash(event));
    previous = event.hash;
    events.push_back(event);
  }
  return events;
}

std::string first_problem(const std::vector<AuditEvent>& events) {
  AuditChain chain;
  for (const AuditEvent& event : events)
    if (Status taken = chain.take(event); !taken) return taken.error().detail;
  return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(canonical_json_sorts_members_at_every_depth) {
  const json::value value = json::parse(R"({ "b": [ {"z":1, "a":null} ], "a": "x\u0001", "B": 1.5, "ä": true })");
  BOOST_TEST(canonical_json(value) == "{\"B\":1.5E0,\"a\":\"x\\u0001\",\"b\":[{\"a\":null,\"z\":1}],\"ä\":true}");
}

// Computed apart from this code (Python's hashlib over the form that audit.h describes).
BOOST_AUTO_TEST_CASE(the_canonical_form_is_what_it_was) {
  BOOST_TEST(to_hex(chain_of(1)[0].hash) == "6b2f24fff0a14b9ed78104094a706eb5e2cecf435b75c7ee3f8fb98e13213f85");
}

BOOST_AUTO_TEST_CASE(an_unbroken_chain_is_taken) {
  BOOST_TEST(first_problem(chain_of(5)) == "");
  const auto events = chain_of(5);
  AuditChain from_third(3, events[2].hash);
  BOOST_TEST(from_third.take(events[3]).ok());
  BOOST_TEST(from_third.take(events[4]).ok());
  BOOST_TEST(from_third.last() == 5U);
}

BOOST_AUTO_TEST_CASE(every_change_is_found_and_named) {
  const std::vector<std::function<void(AuditEvent&)>> changes = {
      [](AuditEvent& e) { e.at += std::chrono::seconds(1); }, [](AuditEvent& e) { e.actor = "operator:mallory"; },
      [](AuditEvent& e) { e.action = "token_retired"; }, [](AuditEvent& e) { e.subject += "0"; },
      [](AuditEvent& e) { e.detail["a"] = "y"; }, [](AuditEvent& e) { e.detail.erase("a"); },
      [](AuditEvent& e) { e.hash[0] ^= 1; },
      // What moves from one field to the next changes the hash as well.
      [](AuditEvent& e) { e.actor += e.action, e.action.clear(); }};
  for (const auto& change : changes) {
    auto events = chain_of(4);
    change(events[2]);
    BOOST_TEST(first_problem(events) == "event 3 of the audit log was changed");
  }
  // Whoever computes the hash anew breaks the link to the next.
  auto events = chain_of(4);
  events[2].actor = "operator:mallory";
  events[2].hash = testing::must(audit_hash(events[2]));
  BOOST_TEST(first_problem(events) ==
             "event 3 or 4 of the audit log was changed: the second does not follow the first");
}

BOOST_AUTO_TEST_CASE(a_missing_and_a_doubled_event_are_named) {
  auto events = chain_of(4);
  events.erase(events.begin() + 1);
  BOOST_TEST(first_problem(events) == "event 2 is missing from the audit log");
  events = chain_of(4);
  events.insert(events.begin(), events.front());
  BOOST_TEST(first_problem(events) == "event 1 stands twice in the audit log");
  events = chain_of(4);
  events.erase(events.begin());
  BOOST_TEST(first_problem(events) == "event 1 is missing from the audit log");
  AuditChain chain;
  BOOST_TEST(!chain.take(events[0]));
  BOOST_TEST(!chain.take(chain_of(1)[0]));  // it stays broken
}

}  // namespace cardea::manager
