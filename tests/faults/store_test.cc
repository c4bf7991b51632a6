// Processes on the manager's store that are killed at any moment, run out of disk, or work side by side.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "store/testing.h"

namespace cardea::manager::store {
namespace {

std::vector<std::string> command(const TestDatabase& database, const std::vector<std::string>& rest) {
  const char* const worker = std::getenv("CARDEA_STORE_WORKER");
  BOOST_REQUIRE(worker);
  std::vector<std::string> out = {worker, database.settings().database};
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

std::vector<std::string> complete_lines(const std::string& text) {
  std::vector<std::string> out;
  std::size_t from = 0;
  for (std::size_t end = text.find('\n'); end != text.npos; from = end + 1, end = text.find('\n', from))
    out.push_back(text.substr(from, end - from));
  return out;
}

/// Every acknowledged transaction is there as a whole, no other in part, and the chain is unbroken.
void check_all(const TestDatabase& database, const std::vector<std::string>& acknowledged) {
  const Checked checked = must(check(database.settings()));
  const auto store = must(open(database.settings()));
  must(store->read([&](Transaction& t) -> Status {
    for (const std::string& number : acknowledged) {
      CARDEA_ASSIGN(const auto setting, t.setting(number));
      BOOST_TEST(setting.has_value(), "transaction " << number << " was acknowledged and is lost");
    }
    std::uint64_t settings = 0;
    Filter filter;
    filter.limit = 1000;
    CARDEA_ASSIGN(const auto certificates, t.certificates(filter));
    for (const Certificate& certificate : certificates.items) {
      BOOST_TEST((certificate.state == CertificateState::issued));
      CARDEA_ASSIGN(const auto setting, t.setting(certificate.serial));
      if (setting) ++settings;
    }
    BOOST_TEST(settings == certificates.items.size());
    BOOST_TEST(checked.audit_events == certificates.items.size());
    return {};
  }));
}

struct Prepared {
  Prepared() { must(migrate(database.settings())); }
  TestDatabase database;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(processes, Prepared)

BOOST_AUTO_TEST_CASE(a_process_killed_at_any_system_call_loses_nothing_that_it_acknowledged) {
  if (!database.sqlite()) return;  // it is the server that writes
  TestDatabase empty;
  std::filesystem::copy_file(database.file(), empty.file());
  std::uint64_t calls = 0;
  {
    const test::Outcome whole = test::run(command(database, {"write", "6", "none", "0"}), {});
    BOOST_REQUIRE(whole.succeeded());
    check_all(database, complete_lines(whole.out));
    std::istringstream(whole.err.substr(whole.err.find("calls ") + 6)) >> calls;
    BOOST_REQUIRE(calls > 10U);
  }
  for (const char* const failure : {"killed", "killed_halfway"}) {
    for (std::uint64_t at = 1; at <= calls; ++at) {
      Prepared fresh;
      const test::Outcome outcome = test::run(command(fresh.database, {"write", "8", failure, std::to_string(at)}), {});
      // Groups are not the same size in every run, so the last calls may not come.
      BOOST_TEST((outcome.signal == SIGKILL || outcome.succeeded()), outcome.err);
      check_all(fresh.database, complete_lines(outcome.out));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_process_killed_from_outside_loses_nothing_that_it_acknowledged) {
  std::vector<std::string> all;
  for (int round = 0; round < 8; ++round) {
    Prepared fresh;
    test::Child child(command(fresh.database, {"write", "100000", "none", "0"}), {});
    std::this_thread::sleep_for(std::chrono::milliseconds(40 + 37 * round));
    ::kill(child.pid(), SIGKILL);
    const test::Outcome outcome = child.wait();
    BOOST_TEST(outcome.signal == SIGKILL);
    auto acknowledged = complete_lines(outcome.out);
    const Checked checked = must(check(fresh.database.settings()));
    BOOST_TEST(checked.audit_events >= acknowledged.size());
    const auto store = must(open(fresh.database.settings()));
    must(store->read([&](Transaction& t) -> Status {
      for (const std::string& number : acknowledged) {
        CARDEA_ASSIGN(const auto setting, t.setting(number));
        BOOST_REQUIRE_MESSAGE(setting.has_value(), "transaction " << number << " was acknowledged and is lost");
      }
      return {};
    }));
    all.insert(all.end(), acknowledged.begin(), acknowledged.end());
  }
  BOOST_TEST(!all.empty());
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told_and_forgotten_when_there_is_space_again) {
  if (!database.sqlite()) return;
  const test::Outcome outcome = test::run(command(database, {"full", "30"}), {});
  BOOST_TEST(outcome.succeeded(), outcome.err);
  const Checked checked = must(check(database.settings()));
  BOOST_TEST(checked.audit_events >= 30U);
}

BOOST_AUTO_TEST_CASE(several_processes_never_get_the_same_job) {
  constexpr int jobs = 200;
  {
    const auto store = must(open(database.settings()));
    must(store->transact([&](Transaction& t) -> Status {
      CARDEA_ASSIGN(const Id request, t.insert(Request{.kind = "issue"}));
      for (int i = 0; i < jobs; ++i) {
        auto added = t.insert(Job{.request = request, .kind = "issue"});
        if (!added) return std::move(added).error();
      }
      return {};
    }));
  }
  std::vector<std::unique_ptr<test::Child>> children;
  for (const char* const name : {"d1", "d2", "d3"})
    children.push_back(std::make_unique<test::Child>(command(database, {"claim", name}), test::Environment{}));
  std::multiset<std::string> claimed;
  for (const auto& child : children) {
    const test::Outcome outcome = child->wait();
    BOOST_TEST(outcome.succeeded(), outcome.err);
    for (const std::string& id : complete_lines(outcome.out)) claimed.insert(id);
  }
  BOOST_TEST(claimed.size() == static_cast<std::size_t>(jobs));
  BOOST_TEST(std::set<std::string>(claimed.begin(), claimed.end()).size() == static_cast<std::size_t>(jobs));
}

BOOST_AUTO_TEST_CASE(a_file_that_another_user_may_not_write_is_refused_in_words) {
  if (!database.sqlite() || ::geteuid() != 0) return;
  using std::filesystem::perms;
  std::filesystem::permissions(database.folder(), perms(0755));
  std::filesystem::permissions(database.file(), perms(0644));
  // The checkout may lie where another user cannot go.
  auto words = command(database, {"claim", "d1"});
  const auto worker = database.folder() / "worker";
  std::filesystem::copy_file(words[0], worker);
  words[0] = worker.string();
  const test::Outcome outcome = test::run(words, {}, 65534);
  BOOST_TEST(outcome.exit_status == 1);
  BOOST_TEST(outcome.err.find("cannot be written by us") != outcome.err.npos, outcome.err);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager::store
