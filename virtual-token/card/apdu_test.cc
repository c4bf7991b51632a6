#include "card/apdu.h"

#include "card/card_testing.h"

using namespace cardea;
using namespace cardea::vcard;

BOOST_AUTO_TEST_SUITE(apdu)

BOOST_AUTO_TEST_CASE(every_form_of_a_command_is_read) {
  const auto bare = parse_command(hex("00a40400"));
  BOOST_REQUIRE(bare.ok());
  BOOST_TEST(bare->expected == 0u);
  BOOST_TEST(parse_command(hex("00b0000000"))->expected == 256u);
  BOOST_TEST(parse_command(hex("00b0000007"))->expected == 7u);
  const auto with_data = parse_command(hex("00a4040002aabb"));
  BOOST_TEST(to_hex(with_data->data) == "aabb");
  BOOST_TEST(with_data->expected == 0u);
  BOOST_TEST(parse_command(hex("00a4040002aabb00"))->expected == 256u);
  const auto extended = parse_command(hex("00a40400000002aabb0000"));
  BOOST_TEST(to_hex(extended->data) == "aabb");
  BOOST_TEST(extended->expected == 65536u);
  BOOST_TEST(extended->extended);
  BOOST_TEST(parse_command(hex("00b00000000100"))->expected == 256u);
}

BOOST_AUTO_TEST_CASE(lengths_that_lie_are_refused) {
  for (const char* broken : {"", "00", "00a404", "00a4040003aabb", "00a4040001aabbcc", "00a404000000", "00a4040000",
                             "00a40400000003aabb", "00a40400000001aabbccdd", "00a404000000000000"}) {
    const auto command = parse_command(hex(broken));
    const bool five_bytes = std::string_view(broken) == "00a4040000";  // Le alone
    BOOST_TEST(command.ok() == five_bytes, "command " << broken);
  }
}

BOOST_AUTO_TEST_CASE(a_card_refuses_classes_it_does_not_know) {
  TestCard test(CardState{new_gids()});
  BOOST_TEST(test.raw("80ca0000") == "6e00");
  BOOST_TEST(test.raw("0ca40400") == "6882");
  BOOST_TEST(test.raw("01a40400") == "6881");
  BOOST_TEST(test.raw("00a4040003aabb") == "6700");
}

BOOST_AUTO_TEST_CASE(nothing_but_select_works_before_an_application_is_selected) {
  TestCard test(CardState{new_gids()});
  BOOST_TEST(test.raw("0020008000") == "6d00");
  BOOST_TEST(test.raw("00a4040005a000000308") == "6a82");
}

BOOST_AUTO_TEST_CASE(the_atr_is_valid_and_says_what_the_card_is) {
  VirtualCard card(CardState{new_gids()});
  const Bytes atr = card.atr();
  Byte check = 0;
  for (std::size_t i = 1; i < atr.size(); ++i) check ^= atr[i];
  BOOST_TEST(int{check} == 0);
  BOOST_TEST(atr.size() == 4u + (atr[1] & 0x0F));
  BOOST_TEST(text_of(atr).find("CARDEA-V") != std::string_view::npos);
  BOOST_TEST(int{atr[7]} == 0xC0);
  card.set_short_only(true);
  BOOST_TEST(int{card.atr()[7]} == 0x80);
}

BOOST_AUTO_TEST_SUITE_END()
