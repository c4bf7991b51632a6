#include "http/problem.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

namespace cardea::http {
namespace {

constexpr std::string_view prefix = "urn:cardea:problem:";

std::set<std::string> answered() {
  std::set<std::string> all;
#define PROBLEM(name, code, title) \
  all.insert(type_uri(Problem::name).substr(prefix.size()) + " " + std::to_string(status(Problem::name)));
#include "http/problems.def"
#undef PROBLEM
  return all;
}

// Rows of docs/troubleshooting.md: | `name` (status) | cause | what to do |
std::set<std::string> explained() {
  const char* const source = std::getenv("CARDEA_SOURCE");
  BOOST_REQUIRE(source);
  std::ifstream file(std::filesystem::path(source) / "docs/troubleshooting.md");
  BOOST_REQUIRE(file);
  const std::regex row(R"(\| `([a-z-]+)` \((\d+)\) \| [^|]+ \| [^|]+ \|)");
  std::set<std::string> all;
  std::smatch found;
  for (std::string line; std::getline(file, line);)
    if (std::regex_match(line, found, row)) all.insert(found[1].str() + " " + found[2].str());
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(problems)

BOOST_AUTO_TEST_CASE(troubleshooting_explains_every_problem_and_no_other) {
  const auto known = answered();
  const auto told = explained();
  BOOST_TEST(known == told, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::http
