// No space left, at every call in turn and on a file system that is really full: the call says so, what was
// acknowledged stays, and work goes on when there is space again.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "cryptoki/cryptoki.h"
#include "faults/setting.h"

namespace cardea::test {

namespace {

std::string hexadecimal(CK_RV rv) {
  std::ostringstream text;
  text << std::hex << rv;
  return text.str();
}

// Objects that must be there, and whether every failed operation named the reason.
std::map<std::string, std::string> acknowledged(std::map<std::string, std::string> objects, const std::string& report,
                                                CK_RV reason) {
  for (const std::string& line : lines(report)) {
    std::istringstream words(line);
    std::string word, operation, id, rv;
    words >> word >> operation >> id >> rv;
    if (word == "failed") BOOST_TEST(rv == hexadecimal(reason), line);
    if (word != "done") continue;
    if (operation == "create") objects[id] = "new";
    if (operation == "change") objects[id] = "changed";
    if (operation == "pair") objects["pair " + id] = "1";
    if (operation == "destroy") objects.erase(id);
  }
  return objects;
}

void fail_everywhere(const std::string& way, CK_RV reason) {
  Home start;
  start.make_token();
  const auto present = start.objects();
  long calls = 1000;
  for (long at = 1; at <= calls; ++at) {
    const Home home(start);
    const Outcome outcome = home.work({"churn", way, std::to_string(at), "2"});
    BOOST_REQUIRE_MESSAGE(outcome.succeeded(), "at call " << at << ": " << outcome.err << outcome.out);
    const std::string last = lines(outcome.out).back();
    if (outcome.out.find("failed") == std::string::npos && outcome.out.find("stopped") == std::string::npos) {
      calls = std::min(calls, std::stol(last.substr(last.find(' '))));
    }
    BOOST_TEST_CONTEXT("failing at call " << at << "\n" << outcome.out) {
      auto wanted = acknowledged(present, outcome.out, reason);
      wanted["after"] = "new";
      BOOST_TEST((home.objects() == wanted));
      BOOST_TEST(integrity(home.store()) == "ok");
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_disk_that_fills_up_at_any_call_costs_only_what_was_refused) {
  fail_everywhere("disk_full", CKR_DEVICE_MEMORY);
}

BOOST_AUTO_TEST_CASE(an_input_output_error_at_any_call_costs_only_what_was_refused) {
  fail_everywhere("input_output_error", CKR_DEVICE_ERROR);
}

BOOST_AUTO_TEST_CASE(a_really_full_file_system_keeps_what_it_took) {
  const Home home;
  const Outcome outcome = home.work({"small-disk", home.path().string()});
  if (outcome.exit_status == 77) {
    BOOST_TEST_MESSAGE("skipped: mounting is not allowed here");
    return;
  }
  BOOST_TEST(outcome.succeeded(), outcome.out << outcome.err);
}

}  // namespace cardea::test
