#include "domain/ca_retry.h"

#include "base/testing.h"

using namespace cardea;
using namespace cardea::manager;
using namespace std::chrono_literals;
using cardea::testing::must;

BOOST_AUTO_TEST_SUITE(ca_retry)

BOOST_AUTO_TEST_CASE(the_standard_schedule_ends_after_ten_attempts) {
  const RetrySchedule schedule = must(RetrySchedule::parse(RetrySchedule::standard));
  BOOST_TEST((schedule.wait_after(1) == 15s));
  BOOST_TEST((schedule.wait_after(2) == 60s));
  BOOST_TEST((schedule.wait_after(10) == 86400s));
  BOOST_TEST(!schedule.wait_after(11));
  BOOST_TEST(schedule.text() == RetrySchedule::standard);
}

BOOST_AUTO_TEST_CASE(without_a_zero_the_last_wait_repeats) {
  const RetrySchedule schedule = must(RetrySchedule::parse("15; 60"));
  BOOST_TEST((schedule.wait_after(2) == 60s));
  BOOST_TEST((schedule.wait_after(2000) == 60s));
  BOOST_TEST(schedule.text() == "15;60");
}

BOOST_AUTO_TEST_CASE(zero_alone_never_asks_again) {
  BOOST_TEST(!must(RetrySchedule::parse("0")).wait_after(1));
}

BOOST_AUTO_TEST_CASE(what_is_no_schedule_is_refused_in_words) {
  for (const char* text :
       {"", ";", "15;", "15;;60", "x", "-1", "1.5", "0;15", "15;0;60", "2592001", "99999999999999999999"}) {
    const auto parsed = RetrySchedule::parse(text);
    BOOST_REQUIRE_MESSAGE(!parsed, text);
    BOOST_TEST((parsed.code() == Code::arguments_bad));
    BOOST_TEST(!parsed.error().detail.empty());
  }
  std::string many;
  for (int i = 0; i < 101; ++i) many += "1;";
  BOOST_TEST(!RetrySchedule::parse(many + "0"));
}

BOOST_AUTO_TEST_SUITE_END()
