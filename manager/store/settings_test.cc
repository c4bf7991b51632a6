// How a database is named, and one that says nothing.
#include "store/settings.h"

#include <libpq-fe.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>
#include <map>

#include "store/connection.h"

namespace cardea::manager::store {
namespace {

// What libpq makes of a connection string: its keywords that have a value.
std::map<std::string, std::string> understood(const std::string& target) {
  char* problem = nullptr;
  PQconninfoOption* const options = PQconninfoParse(target.c_str(), &problem);
  BOOST_REQUIRE_MESSAGE(options != nullptr, target << ": " << (problem == nullptr ? "" : problem));
  std::map<std::string, std::string> out;
  for (const PQconninfoOption* one = options; one->keyword != nullptr; ++one)
    if (one->val != nullptr) out[one->keyword] = one->val;
  PQconninfoFree(options);
  return out;
}

std::map<std::string, std::string> understood_of(std::string_view database) {
  const auto place = place_of(database);
  BOOST_REQUIRE(place.ok());
  BOOST_TEST((place->dialect == Dialect::postgresql));
  return understood(place->target);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(database_settings)

BOOST_AUTO_TEST_CASE(every_way_to_name_a_server_is_understood_and_bounded) {
  for (const char* database : {"postgresql:host=db dbname=cardea user=alice", "postgresql://alice@db/cardea",
                               "postgresql://alice@db/cardea?", "postgresql://alice@db/cardea?sslmode=verify-full"})
    BOOST_TEST_CONTEXT(database) {
      auto found = understood_of(database);
      BOOST_TEST(found["host"] == "db");
      BOOST_TEST(found["dbname"] == "cardea");
      BOOST_TEST(found["user"] == "alice");
      BOOST_TEST(found["connect_timeout"] == "5");
      BOOST_TEST(found["tcp_user_timeout"] == "20000");
      BOOST_TEST(found["keepalives_idle"] == "10");
    }
  BOOST_TEST(understood_of("postgresql://alice@db/cardea?sslmode=verify-full")["sslmode"] == "verify-full");
}

BOOST_AUTO_TEST_CASE(times_that_were_chosen_stay) {
  for (const char* database : {"postgresql:host=db connect_timeout=9", "postgresql://db/x?connect_timeout=9"})
    BOOST_TEST_CONTEXT(database) BOOST_TEST(understood_of(database)["connect_timeout"] == "9");
}

BOOST_AUTO_TEST_CASE(a_server_that_says_nothing_is_given_up) {
  namespace asio = boost::asio;
  asio::io_context io;
  // Connections to it are taken by the kernel, and nobody ever answers on them.
  asio::ip::tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
  const auto place =
      place_of("postgresql:host=127.0.0.1 sslmode=disable port=" + std::to_string(silent.local_endpoint().port()));
  BOOST_REQUIRE(place.ok());
  const auto connection = Connection::open(*place, true, std::chrono::milliseconds(100));
  BOOST_REQUIRE(!connection.ok());
  BOOST_TEST((connection.code() == Code::device_error));
}

BOOST_AUTO_TEST_CASE(what_names_no_database_is_refused) {
  for (const char* database : {"", "sqlite:", "sqlite:/a=b", "mysql:x", "/var/lib/x.db"})
    BOOST_TEST_CONTEXT(database) BOOST_TEST((place_of(database).code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager::store
