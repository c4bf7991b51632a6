#include "cli/text.h"

#include <boost/test/unit_test.hpp>

namespace cardea::cli {

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(control_characters_and_broken_utf8_never_reach_the_terminal) {
  BOOST_TEST(printable("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91") ==
             "plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91");
  BOOST_TEST(printable("a\x1b[2Jb") == "a?[2Jb");
  BOOST_TEST(printable("a\nb\x7f") == "a?b?");
  BOOST_TEST(printable("\xc2\x9b") == "??");            // CSI as U+009B
  BOOST_TEST(printable("\xc0\xaf") == "??");            // overlong
  BOOST_TEST(printable("\xed\xa0\x80") == "???");       // surrogate
  BOOST_TEST(printable("\xf4\x90\x80\x80") == "????");  // beyond U+10FFFF
  BOOST_TEST(printable("\xe2\x82") == "??");            // cut short
}

BOOST_AUTO_TEST_CASE(plain_text_has_only_lines_and_tabs_as_control_characters) {
  BOOST_TEST(is_plain_text(""));
  BOOST_TEST(is_plain_text("a letter\r\n\twith \xc3\xa9\n"));
  BOOST_TEST(!is_plain_text("a\x1b[2J"));
  BOOST_TEST(!is_plain_text(std::string_view("a\0b", 3)));
  BOOST_TEST(!is_plain_text("\xff\xfe"));
}

BOOST_AUTO_TEST_CASE(width_counts_code_points) {
  BOOST_TEST(width("") == 0U);
  BOOST_TEST(width("abc") == 3U);
  BOOST_TEST(width("\xc3\xa9\xe2\x82\xac") == 2U);
}

BOOST_AUTO_TEST_CASE(split_leaves_out_empty_parts_and_blanks) {
  using Parts = std::vector<std::string>;
  BOOST_TEST(split("a, b ,,c", ',') == (Parts{"a", "b", "c"}), boost::test_tools::per_element());
  BOOST_TEST(split("", ',').empty());
  BOOST_TEST(split(" , ", ',').empty());
  BOOST_TEST(split("one two", ',') == Parts{"one two"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lower_changes_ascii_only) {
  BOOST_TEST(lower("RSA:2048 \xc3\x89") == "rsa:2048 \xc3\x89");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::cli
