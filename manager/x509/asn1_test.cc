#include "x509/asn1.h"

#include "base/testing.h"
#include "x509/certificate_view.h"
#include "x509/name.h"
#include "x509/request_reader.h"

using namespace cardea;
using namespace cardea::x509;
using namespace std::chrono;
using cardea::testing::hex;
using cardea::testing::must;

BOOST_AUTO_TEST_SUITE(asn1)

BOOST_AUTO_TEST_CASE(object_identifiers_both_ways) {
  // X.690, 8.19.5; RFC 3279.
  for (const auto& [text, digits] :
       {std::pair("2.999.3", "0603883703"), std::pair("1.2.840.113549", "06062a864886f70d"),
        std::pair("2.16.840.1.101.3.6.9.1", "0609608648016503060901"), std::pair("0.9.2342", "0603099226"),
        std::pair("1.3.6.1.4.1.311.25.2", "06092b0601040182371902")}) {
    BOOST_TEST(to_hex(must(object_identifier(text))) == digits);
    BOOST_TEST(dotted(hex(digits)) == text);
  }
  for (const char* text :
       {"", "1", "3.1", "1.40", "1.2.", ".1.2", "1..2", "1.2.x", "1.-2", "1.2.99999999999999999999"}) {
    BOOST_TEST((object_identifier(text).code() == Code::arguments_bad), text);
  }
  for (const char* digits : {"0600", "060180", "06022a80", "05012a", "060b81ffffffffffffffffff7f"}) {
    BOOST_TEST(dotted(hex(digits)) == "");
  }
}

BOOST_AUTO_TEST_CASE(times_change_their_form_in_2050) {
  const sys_seconds before = sys_days{year{2049} / 12 / 31} + 23h + 59min + 59s;
  BOOST_TEST(text_of(time(before)).substr(2) == "491231235959Z");
  BOOST_TEST(text_of(time(before + 1s)).substr(2) == "20500101000000Z");
  BOOST_TEST(text_of(generalized_time(before)).substr(2) == "20491231235959Z");
  for (const sys_seconds at : {before, before + 1s, sys_seconds(sys_days{year{1950} / 1 / 1})}) {
    const Bytes encoded = time(at);
    crypto::DerReader reader(encoded);
    BOOST_TEST((take_time(reader) == at));
  }
  BOOST_TEST(text_of(time(sys_days{year{1900} / 1 / 1})).substr(2) == "500101000000Z");
}

BOOST_AUTO_TEST_CASE(times_that_der_forbids_are_refused) {
  for (const std::string_view text : {"4912312359Z", "491231235959", "491331000000Z", "490230000000Z", "491231240000Z",
                                      "491231235960Z", "49123123595aZ", "491231235959+0000"}) {
    const Bytes encoded = element(tag_utc_time, {view_of(text)});
    crypto::DerReader reader(encoded);
    BOOST_TEST(!take_time(reader), text);
  }
  const Bytes fraction = element(tag_generalized_time, {view_of("20491231235959.5Z")});
  crypto::DerReader reader(fraction);
  BOOST_TEST(!take_time(reader));
}

BOOST_AUTO_TEST_CASE(named_bits_lose_their_trailing_zeros) {
  BOOST_TEST(to_hex(named_bits(0)) == "030100");
  BOOST_TEST(to_hex(named_bits(1)) == "03020780");
  BOOST_TEST(to_hex(named_bits(1 << 5 | 1 << 6)) == "03020106");
  BOOST_TEST(to_hex(named_bits(1 << 8)) == "0303070080");
}

BOOST_AUTO_TEST_CASE(numbers_and_booleans) {
  BOOST_TEST(to_hex(integer(std::uint64_t{0})) == "020100");
  BOOST_TEST(to_hex(integer(std::uint64_t{128})) == "02020080");
  BOOST_TEST(to_hex(boolean(true)) == "0101ff");
  for (const char* digits : {"010101", "0100", "01020000"}) {
    const Bytes encoded = hex(digits);
    crypto::DerReader reader(encoded);
    BOOST_TEST(!take_boolean(reader), digits);
  }
}

BOOST_AUTO_TEST_CASE(extensions_are_read_once_each) {
  const Bytes oid = must(object_identifier("2.5.29.15"));
  const Bytes one = extension(oid, true, hex("03020780"));
  const auto read = must(read_extensions(one));
  BOOST_REQUIRE(read.size() == 1u);
  BOOST_TEST(read[0].critical);
  BOOST_TEST(to_hex(read[0].value) == "03020780");
  Bytes twice = one;
  twice.insert(twice.end(), one.begin(), one.end());
  BOOST_TEST((read_extensions(twice).code() == Code::data_invalid));
  for (std::size_t i = 1; i < one.size(); ++i) BOOST_TEST(!read_extensions(ByteView(one).first(i)));
}

BOOST_AUTO_TEST_CASE(names_of_every_attribute_go_both_ways) {
  // Requirements row C9: attributes as they are written, and the text that comes back.
  for (const std::string text : {"CN=Ana",
                                 "SN=Archer",
                                 "GN=Ana",
                                 "initials=A",
                                 "generationQualifier=jr.",
                                 "pseudonym=x",
                                 "name=x",
                                 "title=Dr.",
                                 "serialNumber=4711",
                                 "dnQualifier=7",
                                 "emailAddress=a@example.org",
                                 "C=DE",
                                 "ST=Hessen",
                                 "L=Kassel",
                                 "street=Weg 1",
                                 "postalCode=34117",
                                 "telephoneNumber=\\+49 1",
                                 "O=Org",
                                 "OU=Unit",
                                 "organizationIdentifier=VATDE-1",
                                 "businessCategory=x",
                                 "description=x",
                                 "UID=ana",
                                 "DC=example",
                                 "unstructuredName=x",
                                 "unstructuredAddress=x",
                                 "CN=Ana\\, the Archer,O=A+OU=B"}) {
    const auto der = name_der(text);
    BOOST_REQUIRE_MESSAGE(der.ok(), text);
    const std::string back = must(name_text_of(*der));
    BOOST_TEST(must(same_name(must(name_der(back)), *der)), text << " became " << back);
  }
  BOOST_TEST(must(name_der("givenname=Ana,OID.2.5.4.4=Archer")) == must(name_der("GN=Ana,surname=Archer")));
  for (const char* text : {"x", "=x", "nothing=x", "C=Germany", "CN=", "CN=a\\"}) BOOST_TEST(!name_der(text), text);
}

BOOST_AUTO_TEST_CASE(what_is_no_request_or_certificate_is_refused) {
  for (const char* digits : {"", "30", "3000", "3080", "30820000", "0500", "300430023000"}) {
    BOOST_TEST((read_request(hex(digits)).code() == Code::data_invalid), digits);
    BOOST_TEST((view_certificate(hex(digits)).code() == Code::data_invalid), digits);
  }
  BOOST_TEST(key_bits(hex("3000")).empty());
}

BOOST_AUTO_TEST_CASE(texts_must_be_utf8) {
  for (const char* text : {"", "abc", "\xc3\xa4", "\xf0\x9f\x98\x80"}) BOOST_TEST(is_utf8(text));
  for (const char* text : {"\xc3", "\xff", "a\n", "\xed\xa0\x80", "\xc2\x85"}) BOOST_TEST(!is_utf8(text));
}

BOOST_AUTO_TEST_SUITE_END()
