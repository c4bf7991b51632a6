// Nothing we write for people, trace or message, ever holds a PIN or a byte of a key.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <fstream>

#include "faults/setting.h"

namespace cardea::test {

namespace {

// Planted so that a search cannot find them by chance. In order: SO PIN, user PIN, next user PIN, key, wrong PIN.
const std::vector<std::string> secrets{"so-Zq7vKw2mPx", "user-Hb4tRj9sNc", "next-Ld6yWf1gTe",
                                       "key.Vu3nXo8aQi5rYk0pJm7cBzDsEfGh", "wrong-Ga5hUw8kMv"};

std::string in_hex(const std::string& text) {
  std::string hex;
  for (const unsigned char byte : text) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

// The text without what may stand between hex digits, in lower case.
std::string condensed(const std::string& text) {
  std::string kept;
  for (const unsigned char letter : text) {
    if (std::isalnum(letter) != 0) kept += static_cast<char>(std::tolower(letter));
  }
  return kept;
}

// Whether any five bytes in a row of a secret stand in the text, as they are or in hex.
void expect_no_secret(const std::string& text, const std::string& where) {
  constexpr std::size_t window = 5;
  const std::string lower = condensed(text);
  for (const std::string& secret : secrets) {
    for (std::size_t at = secret.find_first_of("-.") + 1; at + window <= secret.size(); ++at) {
      const std::string part = secret.substr(at, window);
      BOOST_TEST((text.find(part) == std::string::npos), where << " holds \"" << part << "\"");
      BOOST_TEST((lower.find(in_hex(part)) == std::string::npos), where << " holds \"" << part << "\" in hex");
    }
  }
}

std::vector<std::string> all_functions() {
  std::vector<std::string> names;
#define CARDEA_FUNCTION(since, name, parameters, arguments) names.push_back(#name);
#include "cryptoki/functions.def"
#undef CARDEA_FUNCTION
  return names;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_trace_names_every_call_and_no_trace_or_message_holds_a_secret) {
  const Home home;
  const std::filesystem::path trace = home.path().parent_path() / "trace.txt";
  std::vector<std::string> arguments{"planted"};
  arguments.insert(arguments.end(), secrets.begin(), secrets.end());
  const Outcome outcome = home.work(arguments, {{"CARDEA_TRACE", trace.string()}});
  BOOST_REQUIRE_MESSAGE(outcome.succeeded(), outcome.err);
  const std::string written = read_file(trace);
  for (const std::string& function : all_functions()) {
    BOOST_TEST((written.find(function) != std::string::npos), function << " is missing in the trace");
  }
  expect_no_secret(written, "the trace");
  expect_no_secret(outcome.err, "standard error");
}

BOOST_AUTO_TEST_CASE(the_files_of_a_token_hold_no_secret_in_clear) {
  const Home home;
  std::vector<std::string> arguments{"planted"};
  arguments.insert(arguments.end(), secrets.begin(), secrets.end());
  BOOST_REQUIRE(home.work(arguments).succeeded());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(home.path())) {
    if (entry.is_regular_file()) expect_no_secret(read_file(entry.path()), entry.path().filename().string());
  }
}

BOOST_AUTO_TEST_CASE(a_trace_that_cannot_be_written_does_not_stop_the_module) {
  Home home;
  home.make_token();
  BOOST_TEST(home.work({"sign"}, {{"CARDEA_TRACE", "/proc/nowhere/trace"}}).succeeded());
}

}  // namespace cardea::test
