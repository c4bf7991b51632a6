// What all cards have in common: chaining, long answers, state that survives.
#include "card/virtual_card.h"

#include "card/card_testing.h"
#include "card/piv_load.h"

using namespace cardea;
using namespace cardea::vcard;

namespace {

constexpr std::string_view select_piv = "00a4040005a00000030800";

CardState card_with_object(std::size_t size) {
  auto state = new_piv({});
  BOOST_REQUIRE(state.ok());
  state->objects[0x5FC10D] = Bytes(size, 0x61);
  return CardState{std::move(*state)};
}

bool ends_with(const std::string& answer, std::string_view status) {
  return std::string_view(answer).ends_with(status);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(virtual_card)

BOOST_AUTO_TEST_CASE(long_answers_are_fetched_in_pieces) {
  TestCard test(card_with_object(600));
  (void)test.raw(select_piv);
  const std::string first = test.raw("00cb3fff055c035fc10d00");
  BOOST_TEST(ends_with(first, "6100"));
  BOOST_TEST(first.size() == 2u * 258);
  const std::string second = test.raw("00c0000000");
  BOOST_TEST(ends_with(second, "615c"));
  const std::string third = test.raw("00c000005c");
  BOOST_TEST(ends_with(third, "9000"));
  BOOST_TEST(first.size() + second.size() + third.size() == 2u * (604 + 6));
  BOOST_TEST(test.raw("00c0000000") == "6985");
}

BOOST_AUTO_TEST_CASE(asking_for_more_than_remains_names_the_length) {
  TestCard test(card_with_object(300));
  (void)test.raw(select_piv);
  BOOST_TEST(ends_with(test.raw("00cb3fff055c035fc10d00"), "6130"));
  BOOST_TEST(test.raw("00c00000ff") == "6c30");
  BOOST_TEST(ends_with(test.raw("00c0000030"), "9000"));
}

BOOST_AUTO_TEST_CASE(another_command_drops_what_remains) {
  TestCard test(card_with_object(600));
  (void)test.raw(select_piv);
  (void)test.raw("00cb3fff055c035fc10d00");
  BOOST_TEST(test.raw("0020008000") == "63c3");
  BOOST_TEST(test.raw("00c0000000") == "6985");
}

BOOST_AUTO_TEST_CASE(extended_length_answers_at_once) {
  TestCard test(card_with_object(600));
  (void)test.raw(select_piv);
  BOOST_TEST(test.raw("00cb3fff0000055c035fc10d0000").size() == 2u * 606);
  test.card.set_short_only(true);
  BOOST_TEST(test.raw("00cb3fff0000055c035fc10d0000") == "6700");
}

BOOST_AUTO_TEST_CASE(a_chained_command_counts_as_one) {
  TestCard test(card_with_object(1));
  (void)test.raw(select_piv);
  BOOST_TEST(test.raw("1020008004"
                      "31323334") == "9000");
  BOOST_TEST(test.raw("0020008004"
                      "3536ffff") == "9000");
  BOOST_TEST(test.raw("0020008000") == "9000");
}

BOOST_AUTO_TEST_CASE(a_broken_chain_is_forgotten) {
  TestCard test(card_with_object(1));
  (void)test.raw(select_piv);
  BOOST_TEST(test.raw("1020008004"
                      "31323334") == "9000");
  BOOST_TEST(ends_with(test.raw("00cb3fff035c017e00"), "9000"));
  BOOST_TEST(test.raw("0020008004"
                      "3536ffff") == "6a80");
  BOOST_TEST(test.raw("0020008000") == "63c3");
}

BOOST_AUTO_TEST_CASE(a_chain_without_end_is_refused) {
  TestCard test(card_with_object(1));
  (void)test.raw(select_piv);
  const std::string piece = "10db3fffff" + std::string(2 * 255, '0');
  std::string answer = "9000";
  int sent = 0;
  while (answer == "9000" && sent < 1000) {
    answer = test.raw(piece);
    ++sent;
  }
  BOOST_TEST(answer == "6700");
  BOOST_TEST(sent == 258);  // 65,536 bytes and one piece more
}

BOOST_AUTO_TEST_CASE(a_card_that_wants_exact_lengths_does_the_work_once) {
  TestCard test(card_with_object(10));
  test.card.set_exact_length(true);
  (void)test.raw(select_piv);
  BOOST_TEST(test.raw("00cb3fff055c035fc10d20") == "6c0c");
  BOOST_TEST(ends_with(test.raw("00cb3fff055c035fc10d0c"), "9000"));
  BOOST_TEST(ends_with(test.raw("00cb3fff055c035fc10d00"), "9000"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_saved_is_not_answered) {
  int saved = 0;
  VirtualCard card(card_with_object(1), [&](const CardState&) -> Status {
    ++saved;
    return Code::device_memory;
  });
  (void)card.exchange(hex(select_piv));
  BOOST_TEST(saved == 0);
  BOOST_TEST(to_hex(card.exchange(hex("0020008008"
                                      "393939393939ffff"))) == "6581");
  BOOST_TEST(saved == 1);
}

BOOST_AUTO_TEST_CASE(random_commands_never_break_a_card) {
  for (CardState& state : std::array<CardState, 2>{card_with_object(100), CardState{new_initialised_gids()}}) {
    VirtualCard card(std::move(state));
    std::uint32_t seed = 12345;  // fixed, so that a failure can be repeated
    const auto next = [&seed] {
      seed = seed * 1664525 + 1013904223;
      return static_cast<Byte>(seed >> 24);
    };
    constexpr Byte known[] = {0x20, 0x22, 0x24, 0x2A, 0x2C, 0x44, 0x87, 0xA4, 0xC0, 0xCB,
                              0xDB, 0xE0, 0xE4, 0xF6, 0xF7, 0xF9, 0xFA, 0xFB, 0xFE, 0xFF};
    for (int i = 0; i < 20000; ++i) {
      Bytes command(next() % 40);
      for (Byte& byte : command) byte = next();
      if (command.size() > 5) {
        command[0] = static_cast<Byte>(next() % 8 == 0 ? 0x10 : 0x00);
        command[1] = known[next() % sizeof known];
        command[4] = static_cast<Byte>(command.size() - 5);
      }
      BOOST_REQUIRE_GE(card.exchange(command).size(), 2u);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
