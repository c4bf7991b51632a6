#include "pcsc/test_support.h"

using namespace cardea;
using namespace cardea::card;

BOOST_AUTO_TEST_SUITE(status_words)

BOOST_AUTO_TEST_CASE(what_a_card_says_becomes_an_error_of_ours) {
  struct Expected {
    std::uint16_t status;
    Code code;
  };
  constexpr Expected expected[]{
      {0x6982, Code::user_not_logged_in},
      {0x6983, Code::pin_locked},
      {0x6a82, Code::not_found},
      {0x6a88, Code::not_found},
      {0x6a84, Code::device_memory},
      {0x6700, Code::data_length},
      {0x6a80, Code::data_invalid},
      {0x6d00, Code::function_not_supported},
      {0x6e00, Code::function_not_supported},
      {0x6a81, Code::function_not_supported},
      {0x6f00, Code::device_error},
      {0x6581, Code::device_error},
      {0x9000, Code::internal},
      {0x1234, Code::device_error},
      {0x6985, Code::function_failed},
      {0x6300, Code::pin_incorrect},
      {0x6a8f, Code::data_invalid},
      {0x69f0, Code::function_failed},
  };
  for (const Expected& one : expected) {
    const Error failure = status_error(one.status);
    BOOST_TEST(name(failure.code) == name(one.code), to_hex(Bytes{Byte(one.status >> 8), Byte(one.status)}));
    BOOST_TEST(!failure.retries_left.has_value());
  }
}

BOOST_AUTO_TEST_CASE(the_word_itself_stands_in_the_detail) {
  BOOST_TEST(status_error(0x6a82).detail.find("6A82") != std::string::npos);
  BOOST_TEST(status_error(0x0000).detail.find("0000") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(tries_left_are_told_and_none_left_is_a_locked_pin) {
  BOOST_TEST(name(status_error(0x63c3).code) == "pin_incorrect");
  BOOST_TEST(status_error(0x63c3).retries_left.value() == 3);
  BOOST_TEST(status_error(0x63cf).retries_left.value() == 15);
  BOOST_TEST(name(status_error(0x63c0).code) == "pin_locked");
  BOOST_TEST(status_error(0x63c0).retries_left.value() == 0);
}

BOOST_AUTO_TEST_CASE(every_word_has_a_meaning) {
  for (std::uint32_t status = 0; status <= 0xffff; ++status) {
    const Error failure = status_error(static_cast<std::uint16_t>(status));
    if (failure.detail.empty() || (failure.code == Code::internal) != (status == 0x9000)) BOOST_ERROR(status);
  }
}

BOOST_AUTO_TEST_SUITE_END()
