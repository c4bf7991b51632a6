#include "pcsc/apdu_encoding.h"

#include <boost/test/unit_test.hpp>

#include "pcsc/test_support.h"

using namespace cardea;
using namespace cardea::card;

namespace {

std::string wire_of(const Apdu& apdu) {
  return to_hex(encode(apdu).view());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(apdu_encoding)

BOOST_AUTO_TEST_CASE(the_four_short_cases) {
  const Bytes data = hex("0102");
  Apdu apdu{.cla = 0x00, .ins = 0xa4, .p1 = 0x04, .p2 = 0x0c};
  BOOST_TEST(wire_of(apdu) == "00a4040c");
  apdu.le = 256;
  BOOST_TEST(wire_of(apdu) == "00a4040c00");
  apdu.data = data;
  BOOST_TEST(wire_of(apdu) == "00a4040c02010200");
  apdu.le = {};
  BOOST_TEST(wire_of(apdu) == "00a4040c020102");
}

BOOST_AUTO_TEST_CASE(the_four_extended_cases) {
  const Bytes data = hex("0102");
  Apdu apdu{.cla = 0x00, .ins = 0xcb, .p1 = 0x3f, .p2 = 0xff, .extended = true};
  BOOST_TEST(wire_of(apdu) == "00cb3fff");
  apdu.le = 65536;
  BOOST_TEST(wire_of(apdu) == "00cb3fff000000");
  apdu.data = data;
  BOOST_TEST(wire_of(apdu) == "00cb3fff00000201020000");
  apdu.le = 258;
  BOOST_TEST(wire_of(apdu) == "00cb3fff00000201020102");
  apdu.le = {};
  BOOST_TEST(wire_of(apdu) == "00cb3fff0000020102");
}

BOOST_AUTO_TEST_CASE(data_is_found_again_in_what_was_encoded) {
  for (const std::size_t size : {0u, 1u, 254u, 255u, 256u, 65535u}) {
    const Bytes data(size, 0x41);
    for (const bool extended : {false, true}) {
      if (!extended && size > short_command_data) continue;
      for (const auto le : {std::optional<std::size_t>{}, std::optional<std::size_t>{256}}) {
        const SecretBytes wire = encode({.ins = 0x20, .data = data, .le = le, .extended = extended});
        BOOST_TEST(same_bytes(command_data(wire.view()), data));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(data_of_a_lying_length_is_none) {
  for (const std::string_view wire : {"", "00", "00200080", "0020008009010203", "002000800000ff01", "00200080000001"})
    BOOST_TEST(command_data(hex(wire)).empty());
}

BOOST_AUTO_TEST_CASE(only_the_length_of_a_secret_is_shown) {
  const Bytes wire = hex("0020008008313233343536ffff");
  BOOST_TEST(redacted_hex(wire, command_data(wire)) == "0020008008<8>");
  BOOST_TEST(redacted_hex(wire, {}) == "0020008008313233343536ffff");
  const Bytes answer = hex("aabb9000");
  BOOST_TEST(redacted_hex(answer, ByteView(answer).first(2)) == "<2>9000");
}

BOOST_AUTO_TEST_SUITE_END()
