#include "pcsc/recording.h"

#include "pcsc/card_transaction.h"
#include "pcsc/replay_channel.h"
#include "pcsc/test_support.h"

using namespace cardea;
using namespace cardea::card;

namespace {

constexpr std::string_view atr = "3bfd1300008131fe158073c021c057597562694b657940";
constexpr std::string_view planted_pin = "314159";

/// A card whose counter goes up, and that tells a secret when asked for it.
class Card {
 public:
  Result<Bytes> operator()(ByteView command) {
    switch (command[1]) {
      case 0xa4:
        return hex("61029000");
      case 0x20:
        return hex("9000");
      case 0x84:
        return Bytes{++counter_, 0x90, 0x00};
      case 0x2a:
        return hex("73656372657420626c6f636b9000");
      case 0x0e:
        return Code::device_removed;
      default:
        return hex("6d00");
    }
  }

 private:
  Byte counter_ = 0;
};

/// What anyone would do with a card.
std::string converse(const CardChannelPtr& channel, std::string_view pin) {
  std::string heard;
  const auto say = [&](CardTransaction& transaction, const Command& command) {
    const auto response = transaction.transmit(command);
    heard += response
                 ? to_hex(response->data) + "/" + to_hex(Bytes{Byte(response->status >> 8), Byte(response->status)})
                 : std::string(name(response.code()));
    heard += ' ';
  };
  for (int round = 0; round < 2; ++round) {
    auto transaction = CardTransaction::begin(channel);
    BOOST_REQUIRE(transaction.ok());
    const Bytes aid = hex("a000000308");
    say(*transaction, {.ins = 0xa4, .p1 = 4, .data = aid});
    say(*transaction, {.ins = 0x20, .p2 = 0x80, .data = view_of(pin), .expects_data = false});
    say(*transaction, {.ins = 0x84});
    say(*transaction, {.ins = 0x2a, .secret_answer = true});
    say(*transaction, {.ins = 0x0e});
  }
  return heard;
}

std::string record(std::string& heard) {
  std::string text;
  const auto channel = std::make_shared<MemoryChannel>(
      hex(atr), ApduLimits{}, [card = Card()](ByteView command) mutable { return card(command); });
  channel->set_observer(recorder("Some\nReader 00 00", [&](std::string_view line) { text.append(line) += '\n'; }));
  heard = converse(channel, planted_pin);
  return text;
}

std::string without_durations(const std::string& text) {
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    const bool timed = line.starts_with("exchange") || line.starts_with("failure");
    result += (timed ? line.substr(0, line.rfind(' ')) : line) + '\n';
    begin = end + 1;
  }
  return result;
}

std::string parse_problem(std::string_view text) {
  const auto recording = parse_recording(text);
  return recording ? "none" : recording.error().detail;
}

std::string with_header(std::string_view lines) {
  return "cardea-recording 1\n" + std::string(lines);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recording)

BOOST_AUTO_TEST_CASE(a_conversation_is_written_without_its_secrets) {
  std::string heard;
  const std::string text = record(heard);
  const std::string round =
      "exchange 00a4040005a00000030800 61029000\n"
      "exchange 0020008006<6> 9000\n"
      "exchange 0084000000 0N9000\n"
      "exchange 002a000000 <12>9000\n"
      "failure 000e000000 device_removed\n";
  std::string expected = "cardea-recording 1\nreader Some Reader 00 00\natr " + std::string(atr) + "\nbegin reset\n" +
                         round + "begin\n" + round;
  expected[expected.find('N')] = '1';
  expected[expected.find('N')] = '2';
  BOOST_TEST(without_durations(text) == expected);
  BOOST_TEST(text.find(to_hex(view_of(planted_pin))) == std::string::npos);
  BOOST_TEST(text.find("736563726574") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_recorded_card_answers_as_the_card_did) {
  std::string heard;
  const std::string text = record(heard);
  auto parsed = parse_recording(text);
  BOOST_REQUIRE(parsed.ok());
  BOOST_TEST(parsed->reader == "Some Reader 00 00");
  const auto channel = std::make_shared<ReplayChannel>(*std::move(parsed));
  BOOST_TEST(to_hex(channel->atr()) == atr);
  // Another PIN of that length is as good, and what was secret is zeros.
  std::string expected = heard;
  const std::string secret = "73656372657420626c6f636b";
  for (std::size_t at = expected.find(secret); at != std::string::npos; at = expected.find(secret))
    expected.replace(at, secret.size(), repeated("00", 12));
  BOOST_TEST(converse(channel, "271828") == expected);
  BOOST_TEST(converse(channel, "271828") == expected);
  BOOST_TEST(channel->unknown_commands().empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_in_the_recording_is_answered_and_reported) {
  const auto channel = std::make_shared<ReplayChannel>(*parse_recording(with_header("exchange 00cb 9000 1\n")));
  auto transaction = CardTransaction::begin(channel);
  BOOST_REQUIRE(transaction.ok());
  BOOST_TEST(transaction->transmit({.ins = 0x84})->status == 0x6f00);
  (void)transaction->transmit({.ins = 0x20, .data = view_of(planted_pin), .expects_data = false});
  const auto unknown = channel->unknown_commands();
  BOOST_REQUIRE(unknown.size() == 2u);
  BOOST_TEST(unknown[0] == "0084000000");
  BOOST_TEST(unknown[1] == "0020000006<6>");
}

BOOST_AUTO_TEST_CASE(an_empty_recording_is_a_card_that_knows_nothing) {
  const auto channel = std::make_shared<ReplayChannel>(*parse_recording(with_header("")));
  BOOST_TEST(CardTransaction::begin(channel)->transmit({.ins = 0x84})->status == 0x6f00);
}

BOOST_AUTO_TEST_CASE(extended_length_is_played_back_where_it_was_recorded) {
  const std::string card = "atr " + std::string(atr) + '\n';
  const ReplayChannel extended(*parse_recording(with_header(card + "exchange 00cb3fff000000 9000 1\n")));
  BOOST_TEST(extended.limits().answer_data == 65536u);
  const ReplayChannel short_only(*parse_recording(with_header(card + "exchange 00cb3fff00 9000 1\n")));
  BOOST_TEST(short_only.limits().answer_data == 256u);
  BOOST_TEST(!short_only.limits().extended_possible);
}

BOOST_AUTO_TEST_CASE(remarks_and_line_ends_of_other_systems_are_no_matter) {
  const auto parsed = parse_recording("cardea-recording 1\r\n# a remark\r\n\r\nexchange 00cb 9000 7\r\n");
  BOOST_REQUIRE(parsed.ok());
  BOOST_REQUIRE(parsed->exchanges.size() == 1u);
  BOOST_TEST((parsed->exchanges[0].duration == std::chrono::microseconds(7)));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_told_with_its_line) {
  BOOST_TEST(parse_problem("").find("line 1 ") != std::string::npos);
  BOOST_TEST(parse_problem("something else\n").find("line 1 ") != std::string::npos);
  BOOST_TEST(parse_problem("cardea-recording 0\n").find("line 1 ") != std::string::npos);
  for (const std::string_view line :
       {"unheard of", "atr 3", "exchange", "exchange 00", "exchange 00 9000", "exchange 0g 9000 1",
        "exchange 00<8 9000 1", "exchange 00<x>00 9000 1", "exchange 00<70001> 9000 1", "exchange 00<-1> 9000 1",
        "exchange 00<1><1> 9000 1", "exchange 00 9000 x", "failure 00 nothing 1"}) {
    const std::string problem = parse_problem(with_header("begin\n" + std::string(line)));
    BOOST_TEST(problem.find("line 3 ") != std::string::npos, line << ": " << problem);
  }
}

BOOST_AUTO_TEST_CASE(a_later_versions_recording_is_not_guessed_at) {
  const auto parsed = parse_recording("cardea-recording 2\n");
  BOOST_REQUIRE(!parsed.ok());
  BOOST_TEST(name(parsed.code()) == "store_newer");
}

BOOST_AUTO_TEST_CASE(a_hidden_part_matches_any_bytes_of_its_length) {
  const RecordedBytes bytes{.bytes = hex("0020000000ff"), .hidden_at = 2, .hidden_size = 3};
  BOOST_TEST(bytes.matches(hex("0020000000ff")));
  BOOST_TEST(bytes.matches(hex("0020aabbccff")));
  BOOST_TEST(!bytes.matches(hex("0020aabbcc00")));
  BOOST_TEST(!bytes.matches(hex("0021aabbccff")));
  BOOST_TEST(!bytes.matches(hex("0020aabbff")));
}

BOOST_AUTO_TEST_CASE(a_trace_tells_reader_command_and_answer) {
  std::string text;
  const ObserverFactory observers = apdu_trace([&](std::string_view line) { text.append(line) += '\n'; });
  const auto channel = std::make_shared<MemoryChannel>(hex(atr), ApduLimits{}, Card());
  channel->set_observer(observers("Reader 00 00"));
  converse(channel, planted_pin);
  BOOST_TEST(text.find("card Reader 00 00: 0020008006<6> = 9000 ") != std::string::npos);
  BOOST_TEST(text.find("card Reader 00 00: 000e000000 = the token was removed") != std::string::npos);
  BOOST_TEST(text.find(to_hex(view_of(planted_pin))) == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
