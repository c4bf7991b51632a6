#include "cli/der.h"

#include <boost/test/unit_test.hpp>

namespace cardea::cli {
namespace {

Bytes hex(std::string_view digits) {
  Bytes bytes;
  BOOST_REQUIRE(from_hex(digits, bytes));
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(der)

BOOST_AUTO_TEST_CASE(numbers_are_minimal_and_positive) {
  // r = 0x80 gets a leading zero, s = 0x0001 loses one (X.690, 8.3).
  BOOST_TEST(to_hex(ecdsa_to_der(hex("00800001"))) == "300702020080020101");
  BOOST_TEST(to_hex(ecdsa_to_der(hex("0000"))) == "3006020100020100");
}

BOOST_AUTO_TEST_CASE(long_signatures_have_a_long_length) {
  const Bytes raw(132, 0x7f);  // P-521
  const Bytes der = ecdsa_to_der(raw);
  BOOST_TEST(to_hex(ByteView(der).first(5)) == "3081880242");
  const auto back = ecdsa_from_der(der, 66);
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((*back == raw));
}

BOOST_AUTO_TEST_CASE(every_raw_signature_comes_back) {
  for (const std::string_view digits : {"00000001", "ffffffff", "00ff00ff", "7fff8000"}) {
    const Bytes raw = hex(digits);
    const auto back = ecdsa_from_der(ecdsa_to_der(raw), 2);
    BOOST_REQUIRE_MESSAGE(back.ok(), digits);
    BOOST_TEST(to_hex(*back) == digits);
  }
}

BOOST_AUTO_TEST_CASE(malformed_der_is_no_signature) {
  for (const std::string_view digits :
       {"", "30", "3006", "30060201010201", "3106020101020101", "300602010102010100", "3009020101020101020101",
        "3003020101", "3080020101020101", "308500000000060201010201", "3006030101020101", "3008020300ffff020101"}) {
    BOOST_TEST((ecdsa_from_der(hex(digits), 1).code() == Code::signature_invalid), digits);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::cli
