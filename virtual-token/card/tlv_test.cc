#include "card/tlv.h"

#include "card/card_testing.h"

using namespace cardea;
using namespace cardea::vcard;

BOOST_AUTO_TEST_SUITE(tlv)

BOOST_AUTO_TEST_CASE(tags_of_one_to_three_bytes_are_read) {
  const Bytes data =
      hex("5c035fc10253025566"
          "7f490181"
          "5fc10200");
  BOOST_TEST(to_hex(*find_tlv(data, 0x53)) == "5566");
  BOOST_TEST(to_hex(*find_tlv(data, 0x7F49)) == "81");
  BOOST_TEST(find_tlv(data, 0x5FC102)->empty());
  BOOST_TEST(!find_tlv(data, 0x54).has_value());
  BOOST_TEST(is_tlv_sequence(data));
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_for_every_length_form) {
  for (const std::size_t size : {0u, 127u, 128u, 255u, 256u, 65535u, 65536u}) {
    const Bytes value(size, 0x5A);
    const Bytes object = make_tlv(0x5FC109, value);
    BOOST_TEST(is_tlv_sequence(object));
    BOOST_TEST(find_tlv(object, 0x5FC109)->size() == size);
  }
}

BOOST_AUTO_TEST_CASE(damage_ends_the_reading) {
  for (const char* broken : {"53", "5303aabb", "5380", "538400000001aa", "7f", "7f80", "5f818201", "53820001"}) {
    BOOST_TEST(!is_tlv_sequence(hex(broken)), "object " << broken);
    BOOST_TEST(!find_tlv(hex(broken), 0x53).has_value(), "object " << broken);
  }
}

BOOST_AUTO_TEST_CASE(a_path_leads_into_nested_objects) {
  const Bytes data = make_tlv(0x7C, make_tlv(0x82, hex("0102")));
  BOOST_TEST(to_hex(*find_tlv(data, {0x7C, 0x82})) == "0102");
  BOOST_TEST(!find_tlv(data, {0x7C, 0x81}).has_value());
  BOOST_TEST(!find_tlv(data, {0x7D, 0x82}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
