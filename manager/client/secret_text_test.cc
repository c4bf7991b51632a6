#include "client/secret_text.h"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "base/wiping_memory.h"
#include "fakes/own_memory.h"

using cardea::client::secret_text;
namespace json = boost::json;

BOOST_AUTO_TEST_CASE(a_text_is_the_objects) {
  for (const json::object& object :
       {json::object(), json::object{{"a", 1}, {"b", json::array{nullptr, true, "\"\n\u00e9"}}},
        json::object{{"long", std::string(5000, 'x')}, {"more", json::object{{"c", 2.5}}}}}) {
    BOOST_TEST(cardea::text_of(secret_text(object).view()) == json::serialize(object));
  }
}

BOOST_AUTO_TEST_CASE(secrets_of_a_text_leave_nothing_behind) {
  const std::string inverted = cardea::test::inverted_secret(256);
  {
    json::object object(cardea::wiping_memory());
    json::string& secret = object["password"].emplace_string();
    for (const char letter : inverted) secret.push_back(static_cast<char>(~letter));
    object["rest"].emplace_string().append(20000, 'x');
    const cardea::SecretBytes text = secret_text(object);
    BOOST_TEST(cardea::test::in_own_memory(inverted));
  }
  BOOST_TEST(!cardea::test::in_own_memory(inverted));
}
