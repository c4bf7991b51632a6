#include "base/tlv.h"

#include <boost/test/unit_test.hpp>

using namespace cardea;

namespace {

Bytes hex(std::string_view text) {
  Bytes out;
  BOOST_REQUIRE(from_hex(text, out));
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tlv)

BOOST_AUTO_TEST_CASE(objects_come_back_as_they_were_written) {
  const std::size_t sizes[] = {0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000};
  for (const std::uint32_t tag : {0x53u, 0x7f49u, 0x5fc105u}) {
    for (const std::size_t size : sizes) {
      const Bytes value(size, 0x5a);
      const Bytes written = make_tlv(tag, value);
      TlvReader reader(written);
      const auto object = reader.next();
      BOOST_REQUIRE(object.ok());
      BOOST_TEST(object->tag == tag);
      BOOST_TEST(same_bytes(object->value, value));
      BOOST_TEST(reader.at_end());
    }
  }
}

BOOST_AUTO_TEST_CASE(lengths_take_the_fewest_bytes) {
  BOOST_TEST(to_hex(make_tlv(0x53, Bytes(2, 1))) == "53020101");
  BOOST_TEST(to_hex(ByteView(make_tlv(0x53, Bytes(0x80, 1))).first(3)) == "538180");
  BOOST_TEST(to_hex(ByteView(make_tlv(0x5fc102, Bytes(0x1234, 1))).first(6)) == "5fc102821234");
}

BOOST_AUTO_TEST_CASE(every_truncation_is_refused) {
  const Bytes whole = make_tlv(0x7f49, make_tlv(0x86, Bytes(200, 7)));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    BOOST_TEST(!TlvReader(ByteView(whole).first(size)).next().ok());
  }
}

BOOST_AUTO_TEST_CASE(lies_are_refused) {
  for (const char* bad : {"5380", "53850000000001", "53ffff", "5f", "1f8181818101", "5384ffffffff00", "53"}) {
    BOOST_TEST(!TlvReader(hex(bad)).next().ok(), bad);
  }
}

BOOST_AUTO_TEST_CASE(one_is_found_among_many_and_damage_behind_it_is_seen) {
  const Bytes two = hex("5301aa5402bbcc5301dd");
  BOOST_TEST(to_hex(*require_tlv(two, 0x54)) == "bbcc");
  BOOST_TEST(to_hex(*require_tlv(two, 0x53)) == "aa");
  BOOST_TEST((require_tlv(two, 0x55).code() == Code::not_found));
  BOOST_TEST((require_tlv(hex("5301aa54"), 0x53).code() == Code::data_invalid));
  BOOST_TEST(!find_tlv({}, 0x53)->has_value());
}

BOOST_AUTO_TEST_SUITE_END()
