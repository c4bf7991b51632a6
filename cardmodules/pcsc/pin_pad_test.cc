#include "pcsc/pin_pad.h"

#include "pcsc/test_support.h"

using namespace cardea;
using namespace cardea::card;

namespace {

ReaderPinPad pad_answering(std::string_view answer) {
  ReaderFeatures features{.verify_pin = 1, .modify_pin = 2};
  return ReaderPinPad(features, [answer = hex(answer)](std::uint32_t, ByteView) -> Result<Bytes> { return answer; });
}

std::string verify_failure(std::string_view answer) {
  const auto status = pad_answering(answer).verify({});
  return status ? "none" : std::string(name(status.code()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pin_pad)

BOOST_AUTO_TEST_CASE(a_change_asks_for_the_old_pin_and_twice_for_the_new_one) {
  const auto structure = pin_modify_structure({.ins = 0x24, .p2 = 0x80, .min_length = 6}, PinPad::Change::old_and_new);
  BOOST_REQUIRE(structure.ok());
  BOOST_TEST(to_hex(*structure) ==
             "0000"
             "820800"
             "0008"
             "0806"
             "030203090400010200000015000000"
             "0024008010ffffffffffffffffffffffffffffffff");
}

BOOST_AUTO_TEST_CASE(a_change_without_the_old_pin_asks_twice_for_the_new_one) {
  const auto structure =
      pin_modify_structure({.ins = 0x24, .p1 = 1, .p2 = 0x80, .min_length = 4, .max_length = 16, .padded_length = 0},
                           PinPad::Change::new_alone);
  BOOST_REQUIRE(structure.ok());
  BOOST_TEST(to_hex(*structure) ==
             "0000"
             "820000"
             "0000"
             "1004"
             "01020209040102000000000500000"
             "00024018000");
}

BOOST_AUTO_TEST_CASE(an_unpadded_pin_leaves_its_length_to_the_reader) {
  const auto structure = pin_verify_structure({.p2 = 1, .min_length = 4, .max_length = 12, .padded_length = 0});
  BOOST_REQUIRE(structure.ok());
  BOOST_TEST(to_hex(ByteView(*structure).last(5)) == "0020000100");
  BOOST_TEST(to_hex(ByteView(*structure).subspan(2, 5)) == "8200000c04");
}

BOOST_AUTO_TEST_CASE(layouts_that_the_structures_cannot_express_are_refused) {
  BOOST_TEST(!pin_verify_structure({.padded_length = 16}).ok());
  BOOST_TEST(!pin_verify_structure({.min_length = 9, .max_length = 8}).ok());
  BOOST_TEST(!pin_verify_structure({.max_length = 12, .padded_length = 8}).ok());
  BOOST_TEST(!pin_verify_structure({.max_length = 256, .padded_length = 0}).ok());
  BOOST_TEST(!pin_modify_structure({.padded_length = 0}, PinPad::Change::old_and_new).ok());
}

BOOST_AUTO_TEST_CASE(what_happens_at_the_pad_becomes_an_error) {
  BOOST_TEST(verify_failure("9000") == "none");
  BOOST_TEST(verify_failure("63c1") == "none");
  BOOST_TEST(verify_failure("6400") == "function_canceled");
  BOOST_TEST(verify_failure("6401") == "function_canceled");
  BOOST_TEST(verify_failure("6402") == "pin_invalid");
  BOOST_TEST(verify_failure("6403") == "pin_length");
  BOOST_TEST(verify_failure("6b80") == "function_not_supported");
  BOOST_TEST(verify_failure("90") == "device_error");
  BOOST_TEST(verify_failure("") == "device_error");
}

BOOST_AUTO_TEST_CASE(a_pad_without_change_refuses_it) {
  ReaderPinPad pad({.verify_pin = 1}, [](std::uint32_t, ByteView) -> Result<Bytes> { return hex("9000"); });
  BOOST_TEST(!pad.modifies());
  BOOST_TEST(name(pad.modify({}, PinPad::Change::old_and_new).code()) == "function_not_supported");
  BOOST_TEST(pad.verify({}).ok());
}

BOOST_AUTO_TEST_CASE(features_with_lying_lengths_are_none) {
  for (const std::string_view answer : {"", "06", "0604", "06044200", "0600", "06ff42000006"}) {
    const ReaderFeatures features = explore_features([&](std::uint32_t) -> Result<Bytes> { return hex(answer); });
    BOOST_TEST(features.verify_pin == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_reader_for_short_apdus_says_so) {
  const auto ask = [](std::string_view properties) {
    return explore_features([=](std::uint32_t code) -> Result<Bytes> {
      return code == 0x42000012 ? hex(properties) : hex("120442000012");
    });
  };
  BOOST_TEST(ask("0a0400000000").short_apdus_only);
  BOOST_TEST(!ask("0a0400000100").short_apdus_only);
  BOOST_TEST(!ask("0601040701ff").short_apdus_only);
}

BOOST_AUTO_TEST_SUITE_END()
