#include "card/faults.h"

#include "card/card_testing.h"

using namespace cardea;
using namespace cardea::vcard;

namespace {

struct Setting {
  Setting() : card(CardState{*new_piv({})}), channel(card) {}

  std::string send(std::string_view command) { return to_hex(channel.exchange(hex(command)).response); }
  void fault(std::string_view text) {
    const auto parsed = parse_fault(text);
    BOOST_REQUIRE(parsed.ok());
    channel.add_fault(*parsed);
  }

  VirtualCard card;
  CardChannel channel;
};

constexpr std::string_view select_piv = "00a4040005a00000030800";
constexpr std::string_view ask_pin = "0020008000";

}  // namespace

BOOST_AUTO_TEST_SUITE(faults)

BOOST_AUTO_TEST_CASE(only_faults_are_parsed) {
  BOOST_TEST((parse_fault("pull@3")->kind == FaultKind::pull));
  BOOST_TEST(parse_fault("pull@3")->at == 3u);
  BOOST_TEST(parse_fault("status@2=6a82")->status == 0x6A82);
  for (const char* broken : {"", "pull", "pull@", "pull@0", "pull@-1", "pull@x", "pull@1=9000", "status@1",
                             "status@1=", "status@1=123456", "other@1", "@1", "mute@1 "}) {
    BOOST_TEST((parse_fault(broken).code() == Code::arguments_bad), "text " << broken);
  }
}

BOOST_AUTO_TEST_CASE(a_fault_comes_at_its_command_and_once) {
  Setting setting;
  (void)setting.send(select_piv);
  setting.fault("status@2=6f12");
  BOOST_TEST(setting.send(ask_pin) == "63c3");
  BOOST_TEST(setting.send(ask_pin) == "6f12");
  BOOST_TEST(setting.send(ask_pin) == "63c3");
  BOOST_TEST(setting.channel.count() == 4u);
}

BOOST_AUTO_TEST_CASE(a_mute_card_speaks_again_when_it_was_pulled) {
  Setting setting;
  setting.fault("mute@1");
  BOOST_TEST((setting.channel.exchange(hex(select_piv)).kind == Outcome::Kind::silent));
  setting.channel.reset();
  BOOST_TEST((setting.channel.exchange(hex(select_piv)).kind == Outcome::Kind::silent));
  setting.channel.pulled();
  BOOST_TEST((setting.channel.exchange(hex(select_piv)).kind == Outcome::Kind::answered));
}

BOOST_AUTO_TEST_CASE(a_pulled_card_did_not_see_the_command) {
  Setting setting;
  (void)setting.send(select_piv);
  setting.fault("pull@1");
  BOOST_TEST((setting.channel
                  .exchange(hex("0020008008"
                                "393939393939ffff"))
                  .kind == Outcome::Kind::pulled));
  BOOST_TEST(setting.send(ask_pin) == "63c3");
}

BOOST_AUTO_TEST_CASE(a_card_forgets_its_security_status) {
  Setting setting;
  (void)setting.send(select_piv);
  BOOST_TEST(setting.send("0020008008"
                          "313233343536ffff") == "9000");
  setting.fault("forget@1");
  BOOST_TEST(setting.send(ask_pin) == "6d00");
  (void)setting.send(select_piv);
  BOOST_TEST(setting.send(ask_pin) == "63c3");
}

BOOST_AUTO_TEST_CASE(answers_are_cut_or_replaced) {
  Setting setting;
  const std::string whole = setting.send(select_piv);
  setting.fault("truncate@1");
  const std::string half = setting.send(select_piv);
  BOOST_TEST(half.size() < whole.size());
  BOOST_TEST(half.substr(half.size() - 4) == "9000");
  setting.fault("garbage@1");
  BOOST_TEST(setting.send(select_piv) != whole);
  setting.fault("garbage@5");
  setting.channel.clear_faults();
  for (int i = 0; i < 6; ++i) BOOST_TEST(setting.send(select_piv) == whole);
}

BOOST_AUTO_TEST_CASE(the_record_keeps_no_secret) {
  Setting setting;
  (void)setting.send(select_piv);
  (void)setting.send(
      "0020008008"
      "313233343536ffff");
  (void)setting.send(
      "1020008004"
      "31323334");
  (void)setting.send(
      "0024008010"
      "313233343536ffff363534333231ffff");
  (void)setting.send(
      "002c008010"
      "3132333435363738313233343536ffff");
  (void)setting.send(
      "00ffffff1b"
      "039b18aabbccddeeff00112233445566778899aabbccddeeff0011");
  (void)setting.send(
      "00fe119a22"
      "0620aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899");
  (void)setting.send(
      "00db3fff08"
      "70068401800102ff");
  for (const LoggedExchange& exchange : setting.channel.log().exchanges()) {
    for (const char* secret : {"31323334", "36353433", "aabbccdd", "840180"}) {
      BOOST_TEST(exchange.command.find(secret) == std::string::npos, exchange.command);
    }
  }
  BOOST_TEST(setting.channel.log().exchanges().size() == 8u);
  BOOST_TEST(setting.channel.log().exchanges().front().command == select_piv);
  setting.channel.log().clear();
  BOOST_TEST(setting.channel.log().exchanges().empty());
}

BOOST_AUTO_TEST_CASE(the_record_keeps_no_plaintext) {
  ApduLog log;
  log.add(hex("0087079d04"
              "7c0281ff"),
          hex("7c0482021122"
              "6105"));
  log.add(hex("00c0000005"), hex("aabbccddee9000"));
  log.add(hex("002a80860100"), hex("1122339000"));
  log.add(hex("00a4040000"), hex("6f009000"));
  BOOST_TEST(log.exchanges()[0].response == "<6 bytes>6105");
  BOOST_TEST(log.exchanges()[1].response == "<5 bytes>9000");
  BOOST_TEST(log.exchanges()[2].response == "<3 bytes>9000");
  BOOST_TEST(log.exchanges()[3].response == "6f009000");
}

BOOST_AUTO_TEST_SUITE_END()
