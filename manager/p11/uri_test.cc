#include "p11client/uri.h"

#include <boost/test/unit_test.hpp>

namespace cardea::p11client {

BOOST_AUTO_TEST_SUITE(uri)

BOOST_AUTO_TEST_CASE(every_known_part_is_taken) {
  const auto parsed = parse_uri(
      "pkcs11:token=My%20token;manufacturer=Some;model=M1;serial=00ff;slot-id=7;object=a%3Bb;id=%00%01%FF;type=private"
      "?pin-source=file:/run/pin&module-path=/usr/lib/x.so");
  BOOST_REQUIRE(parsed.ok());
  BOOST_TEST(*parsed->token == "My token");
  BOOST_TEST(*parsed->manufacturer == "Some");
  BOOST_TEST(*parsed->model == "M1");
  BOOST_TEST(*parsed->serial == "00ff");
  BOOST_TEST(*parsed->slot_id == 7UL);
  BOOST_TEST(*parsed->object == "a;b");
  BOOST_TEST(to_hex(*parsed->id) == "0001ff");
  BOOST_TEST(*parsed->type == "private");
  BOOST_TEST(*parsed->pin_file == "/run/pin");
  BOOST_TEST(*parsed->module_path == "/usr/lib/x.so");
}

BOOST_AUTO_TEST_CASE(absent_parts_stay_absent) {
  const auto parsed = parse_uri("pkcs11:");
  BOOST_REQUIRE(parsed.ok());
  BOOST_TEST((!parsed->token && !parsed->serial && !parsed->slot_id && !parsed->object && !parsed->id &&
              !parsed->type && !parsed->pin_file && !parsed->module_path));
}

BOOST_AUTO_TEST_CASE(each_type_of_the_rfc_is_known) {
  for (const std::string type : {"cert", "data", "private", "public", "secret-key"}) {
    const auto parsed = parse_uri("pkcs11:type=" + type);
    BOOST_REQUIRE_MESSAGE(parsed.ok(), type);
    BOOST_TEST(*parsed->type == type);
  }
}

BOOST_AUTO_TEST_CASE(pin_sources_are_files) {
  const auto path = [](const std::string& source) { return parse_uri("pkcs11:?pin-source=" + source); };
  BOOST_TEST(*path("file:/a/b")->pin_file == "/a/b");
  BOOST_TEST(*path("file:///a/b")->pin_file == "/a/b");
  BOOST_TEST(*path("/a/b")->pin_file == "/a/b");
  BOOST_TEST((path("%7Ccat").code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_CASE(a_pin_in_the_uri_is_refused_and_not_repeated) {
  const auto parsed = parse_uri("pkcs11:token=a?pin-value=12345678");
  BOOST_REQUIRE(parsed.code() == Code::arguments_bad);
  BOOST_TEST(parsed.error().detail.find("12345678") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_not_understood_is_refused) {
  for (const std::string text : {"pkcs11:nosuch=1", "pkcs11:token", "pkcs11:id=%GG", "pkcs11:type=nosuch"}) {
    BOOST_TEST((!parse_uri(text).ok()), text);
  }
}

BOOST_AUTO_TEST_CASE(a_uri_is_told_from_a_label) {
  BOOST_TEST(is_uri("pkcs11:"));
  BOOST_TEST(is_uri("PKCS11:token=x"));
  BOOST_TEST(!is_uri("mail"));
  BOOST_TEST(!is_uri("id:01"));
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  const Bytes id{0x00, 0x41, 0xff};
  const std::string text = format_uri("my; token\xc3\xa9", "12?3", "a/b%", id, "private");
  const auto parsed = parse_uri(text);
  BOOST_REQUIRE_MESSAGE(parsed.ok(), text);
  BOOST_TEST(*parsed->token == "my; token\xc3\xa9");
  BOOST_TEST(*parsed->serial == "12?3");
  BOOST_TEST(*parsed->object == "a/b%");
  BOOST_TEST((*parsed->id == id));
  BOOST_TEST(*parsed->type == "private");
  BOOST_TEST(format_uri("t", "", "", {}, "") == "pkcs11:token=t");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::p11client
