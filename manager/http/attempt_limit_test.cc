#include "http/attempt_limit.h"

#include <boost/test/unit_test.hpp>

namespace cardea::http {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(attempt_limit)

constexpr AttemptLimit::Bounds few{3, 5, 60s};
const AttemptLimit::Time start{};

BOOST_AUTO_TEST_CASE(one_client_is_stopped_and_others_go_on) {
  AttemptLimit limit(few);
  for (int i = 0; i < 3; ++i) BOOST_TEST(!limit.begin("192.0.2.1", start + i * 10s));
  const auto wait = limit.begin("192.0.2.1", start + 30s);
  BOOST_REQUIRE(wait.has_value());
  BOOST_TEST(wait->count() == 30);
  BOOST_TEST(!limit.begin("192.0.2.2", start + 30s));
  // The first has left the window, the second not yet.
  BOOST_TEST(!limit.begin("192.0.2.1", start + 60s));
  BOOST_TEST(limit.begin("192.0.2.1", start + 61s)->count() == 9);
}

BOOST_AUTO_TEST_CASE(all_together_are_stopped) {
  AttemptLimit limit(few);
  for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"})
    BOOST_TEST(!limit.begin(address, start));
  BOOST_TEST(limit.begin("192.0.2.6", start + 1s)->count() == 59);
  BOOST_TEST(!limit.begin("192.0.2.6", start + 60s));
}

BOOST_AUTO_TEST_CASE(what_was_right_does_not_count) {
  AttemptLimit limit(few);
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(!limit.begin("192.0.2.1", start));
    limit.forgive("192.0.2.1");
  }
  BOOST_TEST(!limit.begin("192.0.2.1", start));
}

BOOST_AUTO_TEST_CASE(a_network_of_ipv6_is_one_client_and_mapped_addresses_are_those_of_ipv4) {
  AttemptLimit limit(few);
  for (const char* address : {"2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff::3"})
    BOOST_TEST(!limit.begin(address, start));
  BOOST_TEST(limit.begin("2001:db8:1:2::4", start).has_value());
  BOOST_TEST(!limit.begin("2001:db8:1:3::1", start));
  AttemptLimit mapped(few);
  for (const char* address : {"::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.3", "::ffff:192.0.2.4"})
    BOOST_TEST(!mapped.begin(address, start));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::http
