// Recovery of archived keys as files: who waits for it, and who comes between.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <utility>

#include "crypto/pkcs12.h"
#include "domain/archive.h"
#include "domain/audit_log.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::FakeToken;
using testing::Rig;

// Knows whether somebody writes.
class WatchedStore : public Store {
 public:
  explicit WatchedStore(Store& real) : real_(real) {}
  Status transact(const std::function<Status(Transaction&)>& work) override {
    writing = true;
    Status done = gone ? error(Code::device_error, "planned") : real_.transact(work);
    writing = false;
    return done;
  }
  Status read(const std::function<Status(Transaction&)>& work) override { return real_.read(work); }
  bool writing = false;
  bool gone = false;  ///< nothing can be written any more

 private:
  Store& real_;
};

struct Fixture {
  Fixture() {
    for (const char* name : {"first", "second"}) {
      FakeToken card;
      card.serial = name;
      rig.issue(card);
    }
    request = rig.ask("recover", {}, "", {{"to", "pkcs12"}, {"keys", "all"}});
    BOOST_REQUIRE(rig.agreed(request.id)->state == RequestState::approved);
  }
  auto recover() { return recover_as_pkcs12(ports, rig.approvers[0], request.id); }
  std::size_t reads() const {
    const auto& events = rig.memory.state.events;
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [](const auto& one) { return one.action == name(AuditAction::key_read); }));
  }
  RequestState state() const { return rig.memory.state.requests_rows.at(request.id).state; }

  Rig rig{R"({"device_kinds": ["piv"], "devices_per_person": 0, "history_depth": 0, "certificates": [
      {"container": "encryption", "policy": "encryption", "archived": true, "algorithm": "ec:P-256"}]})"};
  WatchedStore store{rig.memory};
  Ports ports{store, rig.keys, rig.authorities, rig.clock};
  Request request;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(recovery_suite, Fixture)

BOOST_AUTO_TEST_CASE(nobody_who_writes_waits_while_keys_are_opened) {
  const std::size_t before = reads();
  int opened = 0;
  rig.keys.before_unwrap = [&] {
    ++opened;
    BOOST_TEST(!store.writing);
  };
  const auto files = recover();
  BOOST_REQUIRE_MESSAGE(files.ok(), (files ? "" : describe(files.error())));
  BOOST_TEST(files->identities.size() == 2U);
  BOOST_TEST(opened == 2);
  BOOST_TEST(reads() == before + 2);
  BOOST_TEST((state() == RequestState::completed));
  for (const auto& one : files->identities) BOOST_TEST(crypto::read_pkcs12(one.pkcs12.view(), one.password).ok());
}

BOOST_AUTO_TEST_CASE(nobody_who_writes_waits_while_a_token_gets_its_keys) {
  testing::MemoryStore memory;
  WatchedStore watched(memory);
  Rig other(Rig::standard_profile, &watched);
  int opened = 0;
  other.keys.before_unwrap = [&] {
    ++opened;
    BOOST_TEST(!watched.writing);
  };
  FakeToken card;
  other.issue(card);
  BOOST_TEST(opened == 1);
  const Request onto_token = other.ask("recover", other.only_token().id, "", {{"to", "token"}, {"keys", "all"}});
  BOOST_REQUIRE(other.agreed(onto_token.id)->state == RequestState::approved);
  const NextStep end = other.work(other.collect(onto_token).job, card);
  BOOST_REQUIRE_MESSAGE(end.state == NextStep::State::completed, end.text);
  BOOST_TEST(card.history.size() == 1U);
  BOOST_TEST(opened == 2);
  const auto& events = memory.state.events;
  BOOST_TEST(std::count_if(events.begin(), events.end(),
                           [](const auto& one) { return one.action == name(AuditAction::key_read); }) == 2);
}

BOOST_AUTO_TEST_CASE(of_two_who_ask_at_once_one_gets_the_keys) {
  const std::size_t before = reads();
  bool first = true;
  rig.keys.before_unwrap = [&] {
    if (!std::exchange(first, false)) return;
    BOOST_REQUIRE(!store.writing);
    BOOST_TEST(recover().ok());
  };
  BOOST_TEST((recover().code() == Code::action_prohibited));
  BOOST_TEST(reads() == before + 2);
}

BOOST_AUTO_TEST_CASE(what_is_withdrawn_meanwhile_gives_nothing) {
  const std::size_t before = reads();
  bool first = true;
  rig.keys.before_unwrap = [&] {
    if (!std::exchange(first, false)) return;
    BOOST_REQUIRE(!store.writing);
    BOOST_TEST(cancel_request(rig.ports, rig.admin, request.id).ok());
  };
  BOOST_TEST((recover().code() == Code::action_prohibited));
  BOOST_TEST(reads() == before);
  BOOST_TEST((state() == RequestState::cancelled));
}

BOOST_AUTO_TEST_CASE(a_policy_that_forbids_it_meanwhile_counts) {
  const std::size_t before = reads();
  rig.keys.before_unwrap = [&] {
    BOOST_REQUIRE(!store.writing);
    for (auto& [id, policy] : rig.memory.state.policies_rows) policy.document["recovery_storage"] = "hardware";
  };
  const auto refused = recover();
  BOOST_TEST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.code() == Code::action_prohibited));
  BOOST_TEST(refused.error().detail.find("changed meanwhile") != std::string::npos);
  BOOST_TEST(reads() == before);
  BOOST_TEST((state() == RequestState::approved));
  const auto again = recover();
  BOOST_REQUIRE(again.ok());
  BOOST_TEST(again->identities.empty());
  BOOST_TEST(again->left_out.size() == 2U);
}

BOOST_AUTO_TEST_CASE(without_the_audit_event_no_key_leaves) {
  const std::size_t before = reads();
  store.gone = true;
  BOOST_TEST((recover().code() == Code::device_error));
  BOOST_TEST(reads() == before);
  BOOST_TEST((state() == RequestState::approved));
  store.gone = false;
  BOOST_TEST(recover().ok());
  BOOST_TEST(reads() == before + 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
