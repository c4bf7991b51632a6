#include "log/log.h"

#include <boost/test/unit_test.hpp>

using cardea::manager::log_line;
using cardea::manager::LogLevel;

BOOST_AUTO_TEST_CASE(a_line_of_text_names_time_level_and_fields) {
  BOOST_TEST(log_line(false, "T", LogLevel::info, "request", {{"status", "200"}, {"who", "operator:alice"}}) ==
             "T info    request status=200 who=operator:alice");
}

BOOST_AUTO_TEST_CASE(what_a_client_sends_cannot_begin_a_new_line_or_field) {
  BOOST_TEST(log_line(false, "T", LogLevel::warning, "refused", {{"path", "/a\nT info x=\x1b[2J"}}) ==
             "T warning refused path=\"/a\\u000aT info x=\\u001b[2J\"");
  BOOST_TEST(log_line(true, "T", LogLevel::error, "refused", {{"path", "\",\"level\":\"info"}}) ==
             R"({"time":"T","level":"error","what":"refused","path":"\",\"level\":\"info"})");
}
