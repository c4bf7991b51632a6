#include "conformance/profile_values.h"

#include <boost/test/unit_test.hpp>

namespace {

using namespace cardea::conformance;

pugi::xml_node parse(pugi::xml_document& document, const char* text) {
  document.load_string(text);
  return document.first_child();
}

std::string compare(const char* expected, const char* actual, Variables& variables) {
  pugi::xml_document a, b;
  return compare_response(parse(a, expected), parse(b, actual), variables);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(profile_values)

BOOST_AUTO_TEST_CASE(numbers_are_decimal_hexadecimal_or_names) {
  BOOST_TEST(parse_number("17", "").value() == 17u);
  BOOST_TEST(parse_number("0x1F", "").value() == 31u);
  BOOST_TEST(parse_number("RW_SESSION|SERIAL_SESSION", "CKF").value() == (CKF_RW_SESSION | CKF_SERIAL_SESSION));
  BOOST_TEST(parse_number("USER", "CKU").value() == CKU_USER);
  BOOST_TEST(parse_number("UnavailableInformation", "").value() == CK_UNAVAILABLE_INFORMATION);
  BOOST_TEST(!parse_number("17x", "").has_value());
  BOOST_TEST(!parse_number("NO_SUCH_FLAG", "CKF").has_value());
}

BOOST_AUTO_TEST_CASE(a_variable_is_bound_by_an_answer_and_used_by_later_calls) {
  Variables variables;
  BOOST_TEST(!resolve("${Session}", variables).has_value());
  BOOST_TEST(compare("<R><Session value='${Session}'/></R>", "<R><Session value='4'/></R>", variables) == "");
  BOOST_TEST(resolve("${Session}", variables).value() == "4");
  BOOST_TEST(resolve("plain", variables).value() == "plain");
}

BOOST_AUTO_TEST_CASE(values_outside_the_permitted_variations_must_agree) {
  Variables none;
  BOOST_TEST(compare("<I><label value='a'/></I>", "<I><label value='b'/></I>", none) == "");
  BOOST_TEST(compare("<I><CryptokiVersion major='3' minor='2'/></I>", "<I><CryptokiVersion major='3' minor='1'/></I>",
                     none) != "");
  BOOST_TEST(compare("<I><LibraryVersion major='1' minor='0'/></I>", "<I><LibraryVersion major='9' minor='1'/></I>",
                     none) == "");
  BOOST_TEST(compare("<I><Other value='1'/></I>", "<I/>", none) != "");
}

BOOST_AUTO_TEST_CASE(flags_and_lists_may_hold_more) {
  Variables none;
  BOOST_TEST(compare("<I><Flags value='RNG'/></I>", "<I><Flags value='5'/></I>", none) == "");
  BOOST_TEST(compare("<I><Flags value='RNG'/></I>", "<I><Flags value='4'/></I>", none) != "");
  const char* wanted = "<I><MechanismList><Type value='RSA_PKCS'/></MechanismList></I>";
  BOOST_TEST(compare(wanted, "<I><MechanismList><Type value='0'/><Type value='1'/></MechanismList></I>", none) == "");
  BOOST_TEST(compare(wanted, "<I><MechanismList><Type value='0'/></MechanismList></I>", none) != "");
}

BOOST_AUTO_TEST_CASE(templates_are_encoded_by_the_attribute_s_type) {
  pugi::xml_document document;
  const auto node = parse(document,
                          "<Template><Attribute type='CLASS' value='PUBLIC_KEY'/><Attribute type='TOKEN' value='TRUE'/>"
                          "<Attribute type='LABEL' value='x'/><Attribute type='ID' value='0a0b'/>"
                          "<Attribute type='MODULUS' length='7'/><Attribute type='VALUE'/></Template>");
  const ParsedTemplate parsed = parse_template(node, {});
  BOOST_REQUIRE_EQUAL(parsed.types.size(), 6u);
  BOOST_TEST(attribute_text(CKA_CLASS, parsed.values[0]) == std::to_string(CKO_PUBLIC_KEY));
  BOOST_TEST(attribute_text(CKA_TOKEN, parsed.values[1]) == "TRUE");
  BOOST_TEST(attribute_text(CKA_LABEL, parsed.values[2]) == "x");
  BOOST_TEST(attribute_text(CKA_ID, parsed.values[3]) == "0a0b");
  BOOST_TEST((parsed.has_buffer[4] && parsed.values[4].size() == 7));
  BOOST_TEST(!parsed.has_buffer[5]);
}

BOOST_AUTO_TEST_SUITE_END()
