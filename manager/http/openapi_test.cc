#include "http/openapi.h"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_CASE(routes_and_their_description_fit_both_ways) {
  for (const std::string& mismatch : cardea::http::openapi_mismatches()) BOOST_ERROR(mismatch);
  BOOST_TEST(cardea::http::openapi_document().at("paths").as_object().contains("/v1/persons/{id}"));
}

BOOST_AUTO_TEST_CASE(the_page_needs_nothing_from_elsewhere) {
  const std::string page = cardea::http::openapi_page();
  BOOST_TEST(page.find("<script") == std::string::npos);
  BOOST_TEST(page.find("src=") == std::string::npos);
  BOOST_TEST(page.find("http://") == std::string::npos);
  BOOST_TEST(page.find("https://") == std::string::npos);
}
