#include "pcsc/apdu_limits.h"

#include "pcsc/test_support.h"

using namespace cardea;
using namespace cardea::card;

namespace {

// Answers to reset of cards in the field.
constexpr std::string_view yubikey_5 = "3bfd1300008131fe158073c021c057597562694b657940";
constexpr std::string_view yubikey_4 = "3bf81300008131fe15597562696b657934d4";
constexpr std::string_view oberthur_piv = "3bdb960080b1fe451f830031c064c3080100079000";

constexpr ApduLimits short_only{};
constexpr ApduLimits extended{.command_data = 65535, .answer_data = 65536};

}  // namespace

BOOST_AUTO_TEST_SUITE(apdu_limits)

BOOST_AUTO_TEST_CASE(historical_bytes_are_found_behind_the_interface_bytes) {
  BOOST_TEST(to_hex(historical_bytes(hex(yubikey_5))) == "8073c021c057597562694b6579");
  BOOST_TEST(text_of(historical_bytes(hex(yubikey_4))) == "Yubikey4");
  BOOST_TEST(to_hex(historical_bytes(hex("3b021450"))) == "1450");
  BOOST_TEST(to_hex(historical_bytes(hex("3b00"))).empty());
}

BOOST_AUTO_TEST_CASE(extended_length_is_used_where_the_card_says_so) {
  BOOST_TEST((limits_of(hex(yubikey_5), true) == extended));
  BOOST_TEST((limits_of(hex(yubikey_4), true) == short_only));
  BOOST_TEST((limits_of(hex(oberthur_piv), true) == short_only));
}

BOOST_AUTO_TEST_CASE(a_reader_that_takes_short_apdus_only_decides) {
  const ApduLimits limits = limits_of(hex(yubikey_5), false);
  BOOST_TEST(limits.command_data == 255u);
  BOOST_TEST(limits.answer_data == 256u);
  BOOST_TEST(!limits.extended_possible);
}

BOOST_AUTO_TEST_CASE(capabilities_stand_before_a_status_of_three_bytes) {
  BOOST_TEST((third_capabilities(hex("0073c00140079000")) == std::optional<Byte>(0x40)));
  // The status itself looks like capabilities here and is none.
  BOOST_TEST(!third_capabilities(hex("00730140")).has_value());
}

BOOST_AUTO_TEST_CASE(capabilities_of_another_length_or_behind_a_lying_length_are_none) {
  for (const std::string_view historical :
       {"", "80", "8072c021", "8071c0", "8074c021c000", "805f73c021c0", "1073c021c0"})
    BOOST_TEST(!third_capabilities(hex(historical)).has_value());
}

BOOST_AUTO_TEST_CASE(no_part_of_an_answer_to_reset_misleads) {
  const Bytes whole = hex(yubikey_5);
  for (std::size_t size = 0; size < 22; ++size)
    BOOST_TEST((limits_of(ByteView(whole).first(size), true) == short_only));
  for (int byte = 0; byte < 256; ++byte) {
    const Bytes endless(33, static_cast<Byte>(byte));
    (void)limits_of(endless, true);
  }
}

BOOST_AUTO_TEST_SUITE_END()
