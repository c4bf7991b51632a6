#include "http/message.h"

#include <boost/test/unit_test.hpp>

namespace http = cardea::http;

BOOST_AUTO_TEST_CASE(a_target_is_taken_apart) {
  http::HttpRequest request;
  BOOST_REQUIRE(http::parse_target("/v1/persons/J%C3%BCrgen%2Fa?q=a+b&state=%3D&flag", request).ok());
  BOOST_TEST(request.path == "/v1/persons/J%C3%BCrgen%2Fa");
  BOOST_REQUIRE(request.segments.size() == 3U);
  BOOST_TEST(request.segments[2] == "J\xc3\xbcrgen/a");
  BOOST_TEST(request.parameter("q").value() == "a b");
  BOOST_TEST(request.parameter("state").value() == "=");
  BOOST_TEST(request.parameter("flag").value() == "");
  BOOST_TEST(!request.parameter("none").has_value());
}

BOOST_AUTO_TEST_CASE(targets_that_cannot_be_trusted_are_refused) {
  for (const char* target : {"", "*", "http://host/a", "/%", "/%4", "/%zz", "/%00", "/a?b=%00", "/%ff", "/%c0%af",
                             "/%ed%a0%80", "/?%f4%90%80%80"}) {
    http::HttpRequest request;
    BOOST_TEST(!http::parse_target(target, request).ok(), target);
  }
}

BOOST_AUTO_TEST_CASE(header_names_have_no_case) {
  http::HttpRequest request;
  request.headers = {{"content-TYPE", "a"}, {"X", "b"}};
  BOOST_TEST(request.header("Content-Type").value() == "a");
  BOOST_TEST(!request.header("Content").has_value());
}
