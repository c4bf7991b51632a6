// kill -9 before every system call that changes a file, and half-way through every write: afterwards the store holds
// the old state or the new one, what was acknowledged is there, and what was destroyed does not come back.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "faults/setting.h"
#include "swtpm/swtpm.h"

namespace cardea::test {

namespace {

using Objects = std::map<std::string, std::string>;

// What a line of the worker's report does to the objects.
void apply(Objects& objects, const std::string& operation, const std::string& id) {
  if (operation == "create") objects[id] = "new";
  if (operation == "change") objects[id] = "changed";
  if (operation == "pair") objects["pair " + id] = "1";
  if (operation == "destroy") objects.erase(id);
}

struct Expected {
  Objects before;  ///< everything acknowledged
  Objects after;   ///< with what was under way when the process died
};

Expected expected(Objects objects, const std::string& report) {
  Expected states{objects, objects};
  for (const std::string& line : lines(report)) {
    const std::size_t first = line.find(' '), second = line.find(' ', first + 1);
    const std::string word = line.substr(0, first);
    if (word != "try" && word != "done") continue;
    const std::string operation = line.substr(first + 1, second - first - 1), id = line.substr(second + 1);
    apply(word == "try" ? states.after : states.before, operation, id);
  }
  return states;
}

// Runs churn with a death at every call in turn until a run gets through. Answers how many calls there were.
int kill_everywhere(const Home& start, const std::string& way) {
  const Objects present = start.objects();
  for (int at = 1; at < 2000; ++at) {
    const Home home(start);
    const Outcome outcome = home.work({"churn", way, std::to_string(at), "2"});
    if (outcome.succeeded()) return at - 1;
    BOOST_REQUIRE_MESSAGE(outcome.signal == SIGKILL, "call " << at << ": " << outcome.err);
    const Expected states = expected(present, outcome.out);
    const Objects found = home.objects();
    BOOST_TEST_CONTEXT("killed at call " << at << " after\n" << outcome.out) {
      BOOST_TEST((found == states.before || found == states.after));
      BOOST_TEST(integrity(home.store()) == "ok");
    }
  }
  BOOST_FAIL("the loop never ends");
  return 0;
}

boost::test_tools::assertion_result has_software_tpm(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result answer(tpm::Swtpm::installed());
  answer.message() << "swtpm is not installed (./install-packages tests)";
  return answer;
}

// Kills `task` (seal or unseal) at every call in turn. Whatever is left opens with the TPM and, exactly when it is not
// sealed, without. Answers how many calls there were.
int kill_sealing(const Home& start, const std::string& task, const std::filesystem::path& no_tpm) {
  for (int at = 1; at < 1000; ++at) {
    const Home home(start);
    const Outcome outcome = home.work({task, "killed", std::to_string(at)});
    BOOST_REQUIRE_MESSAGE(outcome.succeeded() || outcome.signal == SIGKILL, outcome.err);
    const bool opens_alone = home.work({"can-login", user_pin}, {{"CARDEA_CONF", no_tpm.string()}}).succeeded();
    BOOST_TEST_CONTEXT("killed at call " << at) {
      BOOST_TEST(home.objects().count("untouched") == 1);
      BOOST_TEST(integrity(home.store()) == "ok");
      if (outcome.succeeded()) BOOST_TEST(opens_alone == (task == "unseal"));
    }
    if (outcome.succeeded()) return at - 1;
  }
  BOOST_FAIL("it never ends");
  return 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_kill_while_a_token_is_sealed_or_unsealed_leaves_it_one_or_the_other,
                     *boost::unit_test::precondition(has_software_tpm)) {
  const tpm::Swtpm swtpm;
  Home start;
  start.make_token();
  const std::filesystem::path no_tpm = swtpm.folder() / "no_tpm.toml";
  std::filesystem::copy(start.config(), no_tpm);
  std::ofstream(no_tpm, std::ios::app) << "[tpm]\ntcti = \"swtpm:path=/nonexistent\"\n";
  std::ofstream(start.config(), std::ios::app) << "[tpm]\ntcti = \"" << swtpm.tcti() << "\"\n";
  BOOST_TEST(kill_sealing(start, "seal", no_tpm) > 3);
  const Outcome sealed = start.work({"seal", "none", "0"});
  BOOST_REQUIRE_MESSAGE(sealed.succeeded(), sealed.err);
  BOOST_TEST(kill_sealing(start, "unseal", no_tpm) > 3);
}

BOOST_AUTO_TEST_CASE(a_kill_before_any_change_of_a_file_loses_nothing) {
  Home home;
  home.make_token();
  const int calls = kill_everywhere(home, "killed");
  BOOST_TEST_MESSAGE(calls << " calls");
  BOOST_TEST(calls > 10);
}

BOOST_AUTO_TEST_CASE(a_kill_half_way_through_any_write_loses_nothing) {
  Home home;
  home.make_token();
  BOOST_TEST(kill_everywhere(home, "killed_halfway") > 10);
}

BOOST_AUTO_TEST_CASE(a_kill_while_a_token_is_made_leaves_a_slot_that_can_be_made_a_token) {
  bool through = false;
  int at = 1;
  for (; !through && at < 1000; ++at) {
    const Home home;
    const Outcome outcome = home.work({"make-token-failing", "killed", std::to_string(at)});
    through = outcome.succeeded();
    BOOST_REQUIRE_MESSAGE(through || outcome.signal == SIGKILL, outcome.err);
    const Outcome finished = home.work({"finish-token"});
    BOOST_TEST(finished.succeeded(), "killed at call " << at << ": " << finished.err << finished.exit_status);
  }
  BOOST_TEST(through);
  BOOST_TEST(at > 5);
}

BOOST_AUTO_TEST_CASE(a_kill_while_a_pin_is_changed_leaves_the_old_or_the_new_pin) {
  Home start;
  start.make_token();
  bool through = false;
  int at = 1;
  for (; !through && at < 1000; ++at) {
    const Home home(start);
    const Outcome outcome = home.work({"change-pin", "killed", std::to_string(at), "another-pin"});
    through = outcome.succeeded();
    BOOST_REQUIRE_MESSAGE(through || outcome.signal == SIGKILL, outcome.err);
    const bool is_old = home.work({"can-login", user_pin}).succeeded();
    const bool is_new = home.work({"can-login", "another-pin"}).succeeded();
    BOOST_TEST_CONTEXT("killed at call " << at) {
      BOOST_TEST(is_old != is_new);
      BOOST_TEST(home.objects(is_new ? "another-pin" : user_pin).count("untouched") == 1);
    }
  }
  BOOST_TEST(through);
  BOOST_TEST(at > 3);
}

}  // namespace cardea::test
