#include "domain/outside_text.h"

#include <boost/test/unit_test.hpp>

namespace cardea::manager {

BOOST_AUTO_TEST_SUITE(outside_text)

BOOST_AUTO_TEST_CASE(text_is_cut_between_two_characters_only) {
  BOOST_TEST(kept_text("plain", 5) == "plain");
  BOOST_TEST(kept_text("plain", 4) == "plai");
  BOOST_TEST(kept_text("aä", 3) == "aä");
  BOOST_TEST(kept_text("aä", 2) == "a");
  BOOST_TEST(kept_text("\U0001F511\U0001F511", 7) == "\U0001F511");
  BOOST_TEST(kept_text("ä", 1) == "");
  BOOST_TEST(kept_text("", 0) == "");
}

BOOST_AUTO_TEST_CASE(control_characters_are_left_out) {
  using namespace std::string_view_literals;
  BOOST_TEST(kept_text("a\x1B[31mb\n\x7F\0c"sv, 100) == "a[31mbc");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
