#include "conformance/expected.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

namespace {

using namespace cardea::conformance;

struct ExpectedFile {
  explicit ExpectedFile(const char* text)
      : path((std::filesystem::temp_directory_path() / ("cardea-expected-" + std::to_string(getpid()))).string()) {
    std::ofstream(path) << text;
  }
  ~ExpectedFile() { std::filesystem::remove(path); }
  std::string path;
};

const std::vector<Finding> findings = {
    {"a/one", Verdict::pass, ""}, {"a/two", Verdict::fail, "wrong"}, {"b/one", Verdict::skip, "absent"}};

}  // namespace

BOOST_AUTO_TEST_SUITE(expected_results)

BOOST_AUTO_TEST_CASE(agreement_gives_nothing) {
  const ExpectedFile file("# why\nfail a/two\nskip b/*\n");
  BOOST_TEST(compare_with_expected(file.path, findings).empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_named_must_pass) {
  const ExpectedFile file("skip b/one\n");
  const auto differences = compare_with_expected(file.path, findings);
  BOOST_REQUIRE_EQUAL(differences.size(), 1u);
  BOOST_TEST(differences[0] == "unexpected failure: a/two: wrong");
}

BOOST_AUTO_TEST_CASE(an_unexpected_pass_and_a_stale_line_are_told) {
  const ExpectedFile file("fail a/one\nfail a/two\nskip b/one\nskip c/gone\n");
  const auto differences = compare_with_expected(file.path, findings);
  BOOST_REQUIRE_EQUAL(differences.size(), 2u);
  BOOST_TEST(differences[0] == "unexpected pass: a/one");
  BOOST_TEST(differences[1] == "expected but not seen: c/gone");
}

BOOST_AUTO_TEST_CASE(a_line_of_another_form_is_refused) {
  const ExpectedFile file("maybe a/one\n");
  BOOST_CHECK_THROW(compare_with_expected(file.path, findings), std::runtime_error);
  BOOST_CHECK_THROW(compare_with_expected("/nonexistent/expected", findings), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()
