#include "pins/pin_policy.h"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

namespace cardea::pins {
namespace {

PinPolicy policy_of(std::string_view text) {
  const auto policy = read_pin_policy(boost::json::parse(text).as_object());
  BOOST_REQUIRE_MESSAGE(policy.ok(), (policy.ok() ? "" : describe(policy.error())));
  return *policy;
}

Code refusal(std::string_view text) {
  const auto policy = read_pin_policy(boost::json::parse(text).as_object());
  BOOST_REQUIRE(!policy.ok());
  BOOST_TEST(policy.error().detail.starts_with("pin_policy: "));
  return policy.code();
}

/// internal stands for "taken".
Code outcome(std::string_view policy, std::string_view pin) {
  const Status checked = check_pin(policy_of(policy), Pin(view_of(pin)));
  if (checked) return Code::internal;
  BOOST_TEST(checked.error().detail.find(pin) == std::string::npos);
  return checked.code();
}

constexpr Code taken = Code::internal;

}  // namespace

BOOST_AUTO_TEST_SUITE(pin_policies)

BOOST_AUTO_TEST_CASE(lengths_count_at_both_ends) {
  constexpr std::string_view policy = R"({"min_length": 6, "max_length": 8})";
  BOOST_TEST((outcome(policy, "59203") == Code::pin_length));
  BOOST_TEST((outcome(policy, "592037") == taken));
  BOOST_TEST((outcome(policy, "59203718") == taken));
  BOOST_TEST((outcome(policy, "592037184") == Code::pin_length));
}

BOOST_AUTO_TEST_CASE(classes_are_required_and_allowed) {
  constexpr std::string_view digits = R"({"allowed": ["digits"]})";
  BOOST_TEST((outcome(digits, "592037") == taken));
  BOOST_TEST((outcome(digits, "59203a") == Code::pin_invalid));
  constexpr std::string_view mixed = R"({"required": ["digits", "upper", "symbols"]})";
  BOOST_TEST((outcome(mixed, "5920aA") == Code::pin_too_weak));
  BOOST_TEST((outcome(mixed, "5920A-") == taken));
  BOOST_TEST((outcome(mixed, "5920A\xc3\xa4") == taken));
}

BOOST_AUTO_TEST_CASE(runs_are_limited) {
  constexpr std::string_view repeats = R"({"max_repeats": 2})";
  BOOST_TEST((outcome(repeats, "552037") == taken));
  BOOST_TEST((outcome(repeats, "555037") == Code::pin_too_weak));
  constexpr std::string_view sequence = R"({"max_sequence": 3})";
  BOOST_TEST((outcome(sequence, "456091") == taken));
  BOOST_TEST((outcome(sequence, "456791") == Code::pin_too_weak));
  BOOST_TEST((outcome(sequence, "917654") == Code::pin_too_weak));
  BOOST_TEST((outcome(sequence, "abcd91") == Code::pin_too_weak));
  // Neighbours in ASCII that nobody counts through.
  BOOST_TEST((outcome(sequence, "89:;91") == taken));
}

BOOST_AUTO_TEST_CASE(what_everybody_takes_is_refused) {
  BOOST_TEST((outcome("{}", "123456") == Code::pin_too_weak));
  BOOST_TEST((outcome("{}", "PassWord") == Code::pin_too_weak));
  BOOST_TEST((outcome("{}", "777777") == Code::pin_too_weak));
  BOOST_TEST((outcome(R"({"weak_list": false})", "123456") == taken));
  BOOST_TEST((outcome(R"({"weak": ["Cardea"]})", "cardea") == Code::pin_too_weak));
}

BOOST_AUTO_TEST_CASE(policies_that_make_no_sense_are_refused_in_words) {
  for (const std::string_view text :
       {R"({"min_length": 0})", R"({"min_length": 9, "max_length": 8})", R"({"min_length": "6"})",
        R"({"max_length": 256})", R"({"required": ["digits", "letters"]})", R"({"required": "digits"})",
        R"({"required": ["upper"], "allowed": ["digits"]})", R"({"max_sequence": 1})", R"({"weak": [1]})",
        R"({"weak": "1"})", R"({"history": 101})", R"({"minimum": 6})", R"({"weak_list": 1})", R"({"min_length": -1})",
        R"({"min_length": 2, "max_length": 8, "required": ["digits", "upper", "lower"]})"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST((refusal(text) == Code::arguments_bad));
    }
  }
}

BOOST_AUTO_TEST_CASE(all_mistakes_are_named) {
  std::vector<PolicyMistake> mistakes;
  read_pin_policy(boost::json::parse(R"({"history": -1, "minimum": 6, "weak_list": 1})").as_object(), mistakes);
  BOOST_REQUIRE(mistakes.size() == 3U);
  BOOST_TEST(mistakes[0].member == "history");
  BOOST_TEST(mistakes[1].member == "minimum");
  BOOST_TEST(mistakes[1].sentence == "is no part of a PIN policy");
  BOOST_TEST(mistakes[2].member == "weak_list");
  mistakes.clear();
  read_pin_policy(boost::json::parse(R"({"min_length": 9, "max_length": 8, "max_sequence": 1})").as_object(), mistakes);
  BOOST_REQUIRE(mistakes.size() == 2U);
  BOOST_TEST(mistakes[0].member == "min_length");
  BOOST_TEST(mistakes[1].member == "max_sequence");
}

BOOST_AUTO_TEST_CASE(token_narrows_the_lengths) {
  const auto narrowed = within_token(policy_of(R"({"min_length": 4, "max_length": 20})"), 6, 8);
  BOOST_REQUIRE(narrowed.ok());
  BOOST_TEST(narrowed->min_length == 6U);
  BOOST_TEST(narrowed->max_length == 8U);
  BOOST_TEST(!within_token(policy_of(R"({"min_length": 10})"), 6, 8).ok());
}

BOOST_AUTO_TEST_CASE(random_pins_are_as_the_policy_wants_them) {
  for (const std::string_view text :
       {"{}", R"({"allowed": ["digits"], "max_repeats": 1, "max_sequence": 2})",
        R"({"required": ["digits", "upper", "lower", "symbols"], "min_length": 12})", R"({"max_length": 6})"}) {
    const PinPolicy policy = policy_of(text);
    for (int i = 0; i < 50; ++i) {
      const auto pin = random_pin(policy);
      BOOST_REQUIRE(pin.ok());
      BOOST_TEST(check_pin(policy, *pin).ok());
    }
  }
}

BOOST_AUTO_TEST_CASE(it_is_said_who_enforces) {
  const auto lengths = enforcement(policy_of(R"({"min_length": 6, "max_length": 8, "weak_list": false})"), 6, 8);
  BOOST_REQUIRE(lengths.size() == 1U);
  BOOST_TEST(lengths[0].by_token);
  const auto longer = enforcement(policy_of(R"({"min_length": 7, "max_length": 8, "history": 2})"), 6, 8);
  BOOST_REQUIRE(longer.size() == 3U);
  for (const Enforcement& each : longer) BOOST_TEST(!each.by_token);
  BOOST_TEST(longer[1].rule == "weak");
  BOOST_TEST(longer[2].rule == "history");
}

BOOST_AUTO_TEST_CASE(policy_is_told_in_a_sentence) {
  BOOST_TEST(describe_policy(policy_of(R"({"min_length": 6, "max_length": 8, "allowed": ["digits"], "max_repeats": 2,
      "history": 3})")) ==
             "The PIN has 6 to 8 characters, only digits, none more than 2 times in a row, not one of the last 3.");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::pins
