#include "domain/cause.h"

#include <boost/test/unit_test.hpp>

namespace cardea::manager {

BOOST_AUTO_TEST_SUITE(causes)

BOOST_AUTO_TEST_CASE(what_failed_is_named_and_no_token_is_blamed_for_it) {
  BOOST_TEST(
      cause(error(Code::timed_out, "another process has locked the database for too long (database is locked)")) ==
      "another process has locked the database for too long (database is locked)");
  BOOST_TEST(cause(error(Code::device_error, "the connection to the database is lost")) ==
             "the connection to the database is lost");
}

BOOST_AUTO_TEST_CASE(other_failures_keep_their_words) {
  BOOST_TEST(cause(error(Code::timed_out)) == describe(error(Code::timed_out)));
  BOOST_TEST(cause(error(Code::store_corrupt, "table person")) == "the stored data is damaged: table person");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
