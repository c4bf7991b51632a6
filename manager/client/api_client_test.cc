#include "client/api_client.h"

#include <boost/test/unit_test.hpp>

namespace client = cardea::client;
using cardea::Code;

BOOST_AUTO_TEST_CASE(problems_become_errors_with_all_they_say) {
  client::Answer answer;
  answer.status = 422;
  answer.body =
      R"({"type":"urn:cardea:problem:invalid-content","title":"The content does not make sense","status":422,
          "detail":"Put it right.","errors":[{"pointer":"/name","detail":"This member is required."}]})";
  const auto error = client::to_error(answer);
  BOOST_TEST((error.code == Code::data_invalid));
  BOOST_TEST(error.detail == "The content does not make sense. Put it right. /name: This member is required.");
  answer.status = 403;
  answer.body = R"({"type":"urn:cardea:problem:code-locked","title":"Locked"})";
  BOOST_TEST((client::to_error(answer).code == Code::pin_locked));
  answer.status = 502;
  answer.body = "<html>";
  BOOST_TEST(client::to_error(answer).detail == "The manager answered with HTTP status 502.");
}

BOOST_AUTO_TEST_CASE(only_https_is_spoken) {
  client::ClientSettings settings;
  settings.url = "http://127.0.0.1:1";
  BOOST_TEST((client::ApiClient::open(std::move(settings)).code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_CASE(a_manager_that_is_not_there_is_a_matter_of_time) {
  client::ClientSettings settings;
  settings.url = "https://127.0.0.1:1";
  auto opened = client::ApiClient::open(std::move(settings));
  BOOST_REQUIRE(opened.ok());
  const auto answer = (*opened)->call("GET", "/v1/health");
  BOOST_REQUIRE(!answer);
  BOOST_TEST((answer.code() == Code::timed_out));
}

BOOST_AUTO_TEST_CASE(what_stands_in_paths_is_encoded) {
  BOOST_TEST(client::encode("a/b ü&=") == "a%2Fb%20%C3%BC%26%3D");
}
