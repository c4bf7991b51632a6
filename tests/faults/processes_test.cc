// Many processes on one token.
#include <boost/test/unit_test.hpp>
#include <memory>

#include "cryptoki/cryptoki.h"
#include "faults/setting.h"

namespace cardea::test {

namespace {

std::vector<Outcome> together(const Home& home, const std::vector<std::vector<std::string>>& commands,
                              std::chrono::seconds limit = std::chrono::seconds(100)) {
  std::vector<std::unique_ptr<Child>> children;
  for (const auto& arguments : commands) {
    children.push_back(std::make_unique<Child>(home.command(arguments), home.environment()));
  }
  std::vector<Outcome> outcomes;
  for (const auto& child : children) outcomes.push_back(child->wait(limit));
  return outcomes;
}

CK_FLAGS token_flags(const Home& home) {
  return std::stoul(home.work({"flags"}).out);
}

Outcome login(const Home& home, const char* pin) {
  return home.work({"login-at", home.config().string(), pin});
}

}  // namespace

BOOST_AUTO_TEST_CASE(thirty_two_processes_write_without_losing_an_object) {
  Home home;
  home.make_token();
  constexpr int rounds = 6;
  std::vector<std::vector<std::string>> commands;
  for (int i = 0; i < 32; ++i) commands.push_back({"write", "p" + std::to_string(i) + ".", std::to_string(rounds)});
  std::map<std::string, std::string> wanted = home.objects();
  for (const Outcome& outcome : together(home, commands)) {
    BOOST_TEST(outcome.succeeded(), outcome.err);
    BOOST_TEST(outcome.out.find("failed") == std::string::npos, outcome.out);
  }
  // What each of them leaves: every pair, and of the secrets only the last (see churn() in worker_store.cc).
  for (int i = 0; i < 32; ++i) {
    const std::string prefix = "p" + std::to_string(i) + ".";
    for (int round = 0; round < rounds; ++round) wanted["pair " + prefix + std::to_string(round)] = "1";
    wanted[prefix + std::to_string(rounds - 1)] = "changed";
  }
  BOOST_TEST((home.objects() == wanted));
  BOOST_TEST(integrity(home.store()) == "ok");
}

BOOST_AUTO_TEST_CASE(five_processes_that_log_in_at_the_same_moment_all_succeed) {
  Home home;  // three tries only: counting a right PIN as a try would lock the token
  home.make_token();
  for (int round = 0; round < 4; ++round) {
    const std::filesystem::path start = home.path().parent_path() / ("start" + std::to_string(round));
    std::vector<std::unique_ptr<Child>> children;
    for (int i = 0; i < 5; ++i) {
      children.push_back(
          std::make_unique<Child>(home.command({"login-at", start.string(), user_pin}), home.environment()));
    }
    write_file(start, "");
    for (const auto& child : children) {
      const Outcome outcome = child->wait();
      BOOST_TEST(outcome.succeeded(), outcome.out << outcome.err);
    }
  }
  BOOST_TEST((token_flags(home) & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED)) == 0u);
}

BOOST_AUTO_TEST_CASE(logging_in_and_out_a_thousand_times_disturbs_no_other_process) {
  Home home;
  home.make_token();
  const std::string stop = (home.path().parent_path() / "stop").string();
  const std::string handle = lines(home.work({"key-handle"}).out).at(0);
  Child signer(home.command({"sign-until", stop}), home.environment());
  Child outsider(home.command({"never", stop, handle}), home.environment());
  const Outcome storm = home.work({"storm", "1000"}, {}, 0, std::chrono::seconds(100));
  write_file(stop, "");
  BOOST_TEST(storm.succeeded(), storm.err);
  const Outcome signed_often = signer.wait(), never = outsider.wait();
  BOOST_TEST(signed_often.succeeded(), signed_often.err);
  BOOST_TEST(never.succeeded(), never.err);
}

BOOST_AUTO_TEST_CASE(a_right_pin_between_wrong_ones_gives_all_tries_back) {
  Home home;
  home.make_token();
  for (int round = 0; round < 5; ++round) {
    BOOST_TEST(lines(login(home, wrong_pin).out).at(0) == std::to_string(CKR_PIN_INCORRECT));
    BOOST_TEST((token_flags(home) & CKF_USER_PIN_COUNT_LOW) != 0u);
    BOOST_TEST(lines(login(home, wrong_pin).out).at(0) == std::to_string(CKR_PIN_INCORRECT));
    BOOST_TEST((token_flags(home) & CKF_USER_PIN_FINAL_TRY) != 0u);
    BOOST_TEST(login(home, user_pin).succeeded());
    BOOST_TEST((token_flags(home) & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY)) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(three_wrong_pins_lock_and_the_right_one_no_longer_helps) {
  Home home;
  home.make_token();
  for (int i = 0; i < 3; ++i) BOOST_TEST(!login(home, wrong_pin).succeeded());
  BOOST_TEST((token_flags(home) & CKF_USER_PIN_LOCKED) != 0u);
  BOOST_TEST(lines(login(home, user_pin).out).at(0) == std::to_string(CKR_PIN_LOCKED));
}

BOOST_AUTO_TEST_CASE(wrong_pins_from_many_processes_at_once_are_all_counted) {
  Home home;
  home.make_token();
  const std::filesystem::path start = home.path().parent_path() / "start";
  std::vector<std::vector<std::string>> commands(12, {"login-at", start.string(), wrong_pin});
  write_file(start, "");
  int incorrect = 0;
  for (const Outcome& outcome : together(home, commands)) {
    BOOST_TEST(!outcome.succeeded());
    if (lines(outcome.out).at(0) == std::to_string(CKR_PIN_INCORRECT)) ++incorrect;
  }
  BOOST_TEST(incorrect <= 3);  // whoever came later met a locked PIN
  BOOST_TEST((token_flags(home) & CKF_USER_PIN_LOCKED) != 0u);
}

}  // namespace cardea::test
