#include "http/json_reader.h"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "base/wiping_memory.h"
#include "fakes/own_memory.h"

namespace http = cardea::http;
using cardea::Code;
using http::FieldError;
using http::JsonReader;

namespace {

struct Reading {
  explicit Reading(std::string_view text) : object(boost::json::parse(text).get_object()), reader(object, errors) {}
  boost::json::object object;
  std::vector<FieldError> errors;
  JsonReader reader;
};

}  // namespace

BOOST_AUTO_TEST_CASE(only_one_json_object_is_a_body) {
  BOOST_TEST(http::parse_object(R"({"a":1,"b":{"a":2}})").ok());
  for (const char* text : {"", "[]", "1", "null", "{", R"({"a":1}})", R"({"a":1} {})", R"({"a":01})", R"({'a':1})",
                           "{\"a\":\"\xff\"}", R"({"a":1,})", "{\"a\":\"\n\"}"}) {
    BOOST_TEST_CONTEXT(text) {
      const auto parsed = http::parse_object(text);
      BOOST_REQUIRE(!parsed);
      BOOST_TEST((parsed.code() == Code::data_invalid));
    }
  }
}

BOOST_AUTO_TEST_CASE(members_may_not_repeat) {
  BOOST_TEST(!http::parse_object(R"({"a":1,"a":2})").ok());
  BOOST_TEST(!http::parse_object(R"({"x":[{"a":1,"a":1}]})").ok());
  BOOST_TEST(!http::parse_object("{\"a\":1,\"\\u0061\":2}").ok());
  BOOST_TEST(http::parse_object(R"({"a":"b:\":c","d":"\\"})").ok());
}

BOOST_AUTO_TEST_CASE(depth_is_bounded) {
  std::string deep = "{\"a\":";
  for (int i = 0; i < 100'000; ++i) deep += "[";
  BOOST_TEST(!http::parse_object(deep).ok());
}

BOOST_AUTO_TEST_CASE(no_more_mistakes_are_told_than_anybody_reads) {
  std::string text = "{\"m0\":0";
  for (int i = 1; i < 1000; ++i) text += ",\"m" + std::to_string(i) + "\":0";
  Reading r(text + "}");
  BOOST_TEST((r.reader.done().code() == Code::data_invalid));
  BOOST_TEST(r.errors.size() == 50U);
}

BOOST_AUTO_TEST_CASE(all_mistakes_are_told_at_once_with_their_place) {
  Reading r(R"({"name":5,"list":[{"a/b":true}],"extra":1,"n":1.5,"flag":"yes"})");
  BOOST_TEST(r.reader.required_string("name", 10) == "");
  for (JsonReader& inner : r.reader.objects("list", 3)) {
    inner.required_string("a/b", 5);
    inner.finish();
  }
  BOOST_TEST(!r.reader.optional_number("n", 0, 9).has_value());
  BOOST_TEST(!r.reader.optional_bool("flag").has_value());
  r.reader.required_string("missing", 5);
  const auto done = r.reader.done();
  BOOST_REQUIRE(!done);
  BOOST_TEST((done.code() == Code::data_invalid));
  std::vector<std::string> pointers;
  for (const FieldError& one : r.errors) pointers.push_back(one.pointer);
  const std::vector<std::string> expected = {"/name", "/list/0/a~1b", "/n", "/flag", "/missing", "/extra"};
  BOOST_TEST(pointers == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(good_members_are_read) {
  Reading r(R"({"s":"x","t":"a\nb","w":"two","n":-3,"big":9223372036854775807,"b":true,"l":["p","q"],
                "m":{"k":"v"},"d":"AQID","nothing":null,"ids":[1,2]})");
  BOOST_TEST(r.reader.required_string("s", 1) == "x");
  BOOST_TEST(r.reader.required_text("t", 3) == "a\nb");
  BOOST_TEST(r.reader.required_word("w", {"one", "two"}) == "two");
  BOOST_TEST(r.reader.required_number("n", -5, 5) == -3);
  BOOST_TEST(r.reader.optional_number("big", 0, INT64_MAX).value() == INT64_MAX);
  BOOST_TEST(r.reader.required_bool("b"));
  BOOST_TEST(r.reader.strings("l", 2, 1).size() == 2U);
  BOOST_TEST(r.reader.string_map("m", 1, 1).at(0).second == "v");
  BOOST_TEST(r.reader.required_base64("d", 3) == "\x01\x02\x03");
  BOOST_TEST(!r.reader.optional_string("nothing", 3).has_value());
  BOOST_TEST(r.reader.numbers("ids", 2, 1, 2).size() == 2U);
  BOOST_TEST(r.reader.done().ok());
}

BOOST_AUTO_TEST_CASE(bounds_hold) {
  Reading r(R"({"s":"ab","c":"\u0001","n":10,"u":18446744073709551615,"l":["a","b"],"e":""})");
  r.reader.required_string("s", 1);
  r.reader.required_string("c", 5);
  r.reader.required_number("n", 0, 9);
  r.reader.optional_number("u", 0, INT64_MAX);
  r.reader.strings("l", 1, 5);
  r.reader.required_string("e", 5);
  BOOST_TEST(!r.reader.done().ok());
  BOOST_TEST(r.errors.size() == 6U);
}

BOOST_AUTO_TEST_CASE(base64_is_canonical_or_refused) {
  BOOST_TEST(http::from_base64("").value() == "");
  BOOST_TEST(http::from_base64("AQ==").value() == "\x01");
  for (const char* text : {"AQ", "AQ=", "AR==", "A===", "AQ==AQ==", "A Q==", "AQ-_", "===="})
    BOOST_TEST(!http::from_base64(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(secrets_of_a_body_leave_nothing_behind) {
  const std::string inverted = cardea::test::inverted_secret(256);
  const auto write = [&](cardea::Byte* place) {
    for (const char letter : inverted) *place++ = static_cast<cardea::Byte>(~letter);
  };
  constexpr std::string_view before = R"({"pkcs12":")", between = R"(","password":"\u00e9)", after = R"("})";
  {
    const std::size_t size = before.size() + between.size() + after.size() + 2 * inverted.size();
    cardea::SecretBytes body(size);
    cardea::Byte* place = std::copy(before.begin(), before.end(), body.data());
    write(place);
    place = std::copy(between.begin(), between.end(), place + inverted.size());
    write(place);
    std::copy(after.begin(), after.end(), place + inverted.size());
    BOOST_TEST(cardea::test::in_own_memory(inverted));
    const auto object = http::parse_object(cardea::text_of(body.view()), cardea::wiping_memory());
    BOOST_REQUIRE(object.ok());
    std::vector<FieldError> errors;
    JsonReader reader(*object, errors);
    const auto password = reader.optional_secret("password", 1024);
    const cardea::SecretBytes file = reader.required_secret_base64("pkcs12", 1024);
    BOOST_TEST(reader.done().ok());
    BOOST_REQUIRE(password.has_value());
    BOOST_TEST(password->size() == inverted.size() + 2);
    BOOST_TEST(file.size() == inverted.size() / 4 * 3);
  }
  BOOST_TEST(!cardea::test::in_own_memory(inverted));
}

BOOST_AUTO_TEST_CASE(secrets_are_held_to_the_rules_of_other_texts) {
  Reading good(R"({"a":"x","b":"AQID"})");
  BOOST_TEST(good.reader.optional_secret("a", 1)->size() == 1U);
  BOOST_TEST(!good.reader.optional_secret("c", 1).has_value());
  BOOST_TEST(good.reader.required_secret_base64("b", 3).size() == 3U);
  BOOST_TEST(good.reader.done().ok());
  for (const char* text : {"{}", R"({"b":""})", R"({"b":1})", R"({"b":"AQI"})", R"({"b":"AQIDBA=="})",
                           R"({"b":"AR=="})", R"({"b":"A-=="})", R"({"b":"====" })"}) {
    Reading wrong(text);
    BOOST_TEST(wrong.reader.required_secret_base64("b", 3).empty(), text);
    BOOST_TEST(wrong.errors.size() == 1U, text);
  }
  for (const char* text : {R"({"a":""})", R"({"a":1})", R"({"a":"xy"})", R"({"a":"\n"})"}) {
    Reading wrong(text);
    BOOST_TEST(!wrong.reader.optional_secret("a", 1).has_value(), text);
    BOOST_TEST(wrong.errors.size() == 1U, text);
  }
}
