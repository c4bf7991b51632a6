#include "x509/name.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "base/bytes.h"
#include "x509/encoding.h"

namespace cardea::x509 {
namespace {

std::string round(std::string_view text) {
  const auto name = parse_name(text);
  return name.ok() ? name_text(name->get()) : "refused";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(names)

BOOST_AUTO_TEST_CASE(names_of_the_rfc_come_back_as_they_were) {
  // The first are examples of RFC 4514, 4, with attribute types that every OpenSSL knows.
  for (const std::string text :
       {"UID=jsmith,DC=example,DC=net", "CN=James \\\"Jim\\\" Smith\\, III,DC=example,DC=net",
        "CN=Before\\0DAfter,DC=example", "CN=Lu\xc4\x8di\xc4\x87", "CN=a\\+b\\;c\\\\d", "CN=\\ x\\ ", "C=DE", ""}) {
    BOOST_TEST(round(text) == text);
  }
}

BOOST_AUTO_TEST_CASE(attributes_joined_by_plus_stay_together) {
  // One component is a set (X.501, 9.3), so the order inside it means nothing.
  BOOST_TEST(round("OU=Sales+CN=J.  Smith,DC=example") == "CN=J.  Smith+OU=Sales,DC=example");
}

BOOST_AUTO_TEST_CASE(hexadecimal_escapes_are_bytes_of_utf8) {
  BOOST_TEST(round("CN=Lu\\C4\\8Di\\C4\\87") == "CN=Lu\xc4\x8di\xc4\x87");
}

BOOST_AUTO_TEST_CASE(blanks_around_types_and_values_are_not_part_of_them) {
  BOOST_TEST(round(" CN = Anna Example , O = Example ") == "CN=Anna Example,O=Example");
}

BOOST_AUTO_TEST_CASE(common_spellings_and_identifiers_are_known) {
  BOOST_TEST(round("e=a@example.org") == "emailAddress=a@example.org");
  BOOST_TEST(round("cn=x,st=y,serialnumber=1") == "CN=x,ST=y,serialNumber=1");
  BOOST_TEST(round("2.5.4.3=x") == "CN=x");
}

BOOST_AUTO_TEST_CASE(what_is_not_a_name_is_refused) {
  for (const std::string_view text :
       {"x", "=x", "CN=", "NOSUCH=x", "CN=a\\", "CN=a\\x", "CN=a,", "CN=a,,O=b", "C=DEU", "CN=\\FF"}) {
    const auto name = parse_name(text);
    BOOST_TEST((!name.ok() && name.code() == Code::arguments_bad), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(encodings)

BOOST_AUTO_TEST_CASE(pem_and_der_are_told_apart) {
  const Bytes der{0x30, 0x03, 0x02, 0x01, 0x05};
  const auto pem = to_pem("CERTIFICATE", der);
  BOOST_REQUIRE(pem.ok());
  BOOST_TEST(pem->starts_with("-----BEGIN CERTIFICATE-----\n"));
  BOOST_TEST((*from_pem_or_der("CERTIFICATE", view_of("Subject: x\n" + *pem)) == der));
  BOOST_TEST((*from_pem_or_der("CERTIFICATE", der) == der));
  BOOST_TEST((from_pem_or_der("PUBLIC KEY", view_of(*pem)).code() == Code::data_invalid));
  const Bytes other{0x30, 0x03, 0x02, 0x01, 0x06};
  const auto all = all_from_pem_or_der("CERTIFICATE", view_of(*pem + "between\n" + *to_pem("CERTIFICATE", other)));
  BOOST_REQUIRE(all.ok());
  BOOST_TEST((*all == std::vector<Bytes>{der, other}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::x509
