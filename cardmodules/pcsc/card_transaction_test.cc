#include "pcsc/card_transaction.h"

#include "pcsc/test_support.h"

using namespace cardea;
using namespace cardea::card;

namespace {

constexpr ApduLimits extended{.command_data = 65535, .answer_data = 65536};
constexpr ApduLimits short_only{.extended_possible = false};

std::shared_ptr<MemoryChannel> channel_to(MemoryChannel::Exchange exchange, ApduLimits limits = {}) {
  return std::make_shared<MemoryChannel>(hex("3b021450"), limits, std::move(exchange));
}

CardTransaction transaction_on(const CardChannelPtr& channel) {
  auto transaction = CardTransaction::begin(channel);
  BOOST_REQUIRE(transaction.ok());
  return *std::move(transaction);
}

/// What came of one command to a scripted card, every step of the script having been used.
Response answer_to(const Command& command, std::vector<ScriptedCard::Step> steps, ApduLimits limits = short_only,
                   ApduLimits* learnt = nullptr) {
  ScriptedCard card(std::move(steps));
  const auto channel = channel_to(std::ref(card), limits);
  CardTransaction transaction = transaction_on(channel);
  auto response = transaction.transmit(command);
  BOOST_TEST(card.finished());
  if (learnt != nullptr) *learnt = channel->limits();
  BOOST_REQUIRE(response.ok());
  return *std::move(response);
}

Result<Response> answer_of(MemoryChannel::Exchange exchange, const Command& command = {.ins = 0xcb}) {
  CardTransaction transaction = transaction_on(channel_to(std::move(exchange), short_only));
  return transaction.transmit(command);
}

class Observer final : public ApduObserver {
 public:
  void transaction_began(ByteView, bool card_was_reset) noexcept override {
    lines += card_was_reset ? "reset\n" : "\n";
  }
  void exchanged(const ObservedExchange& exchange) noexcept override {
    lines += std::string(exchange.command) + " " + std::string(exchange.answer);
    if (exchange.failure != nullptr) lines += describe(*exchange.failure);
    lines += '\n';
  }
  std::string lines;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(card_transaction)

BOOST_AUTO_TEST_CASE(a_short_command_is_one_apdu) {
  const Bytes data = hex("a000000308");
  const Response response = answer_to({.ins = 0xa4, .p1 = 4, .data = data}, {{"00a4040005a00000030800", "61029000"}});
  BOOST_TEST(response.ok());
  BOOST_TEST(to_hex(response.data) == "6102");
}

BOOST_AUTO_TEST_CASE(a_command_without_answer_has_no_le) {
  const Bytes data = hex("31");
  BOOST_TEST(answer_to({.ins = 0xdb, .data = data, .expects_data = false}, {{"00db00000131", "9000"}}).ok());
}

BOOST_AUTO_TEST_CASE(long_data_is_chained_and_le_stands_on_the_last_part) {
  const Bytes data(600, 0x11);
  answer_to({.ins = 0x87, .data = data}, {{"10870000ff" + repeated("11", 255), "9000"},
                                          {"10870000ff" + repeated("11", 255), "9000"},
                                          {"008700005a" + repeated("11", 90) + "00", "9000"}});
}

BOOST_AUTO_TEST_CASE(data_of_exactly_two_links_has_no_empty_third) {
  const Bytes data(510, 0x11);
  answer_to({.ins = 0x87, .data = data, .expects_data = false},
            {{"10870000ff" + repeated("11", 255), "9000"}, {"00870000ff" + repeated("11", 255), "9000"}});
}

BOOST_AUTO_TEST_CASE(a_chain_ends_where_the_card_objects) {
  const Bytes data(600, 0x11);
  const Response response = answer_to({.ins = 0xdb, .data = data}, {{"10db0000ff" + repeated("11", 255), "6a84"}});
  BOOST_TEST(response.status == 0x6a84);
}

BOOST_AUTO_TEST_CASE(extended_length_takes_one_apdu) {
  const Bytes data(256, 0x11);
  const std::string answer = repeated("22", 1000);
  const Response response = answer_to({.ins = 0x87, .data = data},
                                      {{"00870000000100" + repeated("11", 256) + "0000", answer + "9000"}}, extended);
  BOOST_TEST(to_hex(response.data) == answer);
  answer_to({.ins = 0xcb, .p1 = 0x3f, .p2 = 0xff}, {{"00cb3fff000000", "9000"}}, extended);
}

BOOST_AUTO_TEST_CASE(a_short_command_without_answer_stays_short_on_an_extended_card) {
  const Bytes data(8, 0x11);
  answer_to({.ins = 0xdb, .data = data, .expects_data = false}, {{"00db0000081111111111111111", "9000"}}, extended);
}

BOOST_AUTO_TEST_CASE(the_rest_of_an_answer_is_fetched) {
  const Response response = answer_to({.cla = 0x01, .ins = 0xcb}, {{"01cb000000", repeated("aa", 256) + "6100"},
                                                                   {"01c0000000", repeated("bb", 256) + "6103"},
                                                                   {"01c0000003", "cccccc9000"}});
  BOOST_TEST(response.ok());
  BOOST_TEST(response.data.size() == 515u);
  BOOST_TEST(response.data.back() == 0xcc);
}

BOOST_AUTO_TEST_CASE(get_response_after_a_proprietary_class_is_interindustry) {
  answer_to({.cla = 0x80, .ins = 0xca}, {{"80ca000000", "6102"}, {"00c0000002", "01029000"}});
}

BOOST_AUTO_TEST_CASE(the_status_at_the_end_of_the_answer_counts) {
  const Response response = answer_to({.ins = 0xcb}, {{"00cb000000", "aa6102"}, {"00c0000002", "bbbb6282"}});
  BOOST_TEST(response.status == 0x6282);
  BOOST_TEST(to_hex(response.data) == "aabbbb");
}

BOOST_AUTO_TEST_CASE(a_wrong_length_is_put_right_once) {
  answer_to({.ins = 0xca}, {{"00ca000000", "6c02"}, {"00ca000002", "01029000"}});
  answer_to({.ins = 0xca}, {{"00ca000000", "6c00"}, {"00ca000000", "01029000"}});
  const Response stubborn = answer_to({.ins = 0xca}, {{"00ca000000", "6c02"}, {"00ca000002", "6c03"}});
  BOOST_TEST(stubborn.status == 0x6c03);
  answer_to({.ins = 0xca}, {{"00ca000000", "6110"}, {"00c0000010", "6c02"}, {"00c0000002", "01029000"}});
}

BOOST_AUTO_TEST_CASE(a_card_that_announces_without_end_is_stopped) {
  std::size_t sent = 0;
  const auto nothing = answer_of([&](ByteView) -> Result<Bytes> {
    ++sent;
    return hex("6110");
  });
  BOOST_TEST(name(nothing.code()) == "device_error");
  BOOST_TEST(sent == 2u);
  sent = 0;
  const auto trickle = answer_of([&](ByteView) -> Result<Bytes> {
    ++sent;
    return hex("aa6110");
  });
  BOOST_TEST(name(trickle.code()) == "device_error");
  BOOST_TEST(sent < 600u);
}

BOOST_AUTO_TEST_CASE(an_answer_beyond_64_kib_is_refused) {
  const auto flood = answer_of([](ByteView) -> Result<Bytes> {
    Bytes answer(256, 0xaa);
    answer.insert(answer.end(), {0x61, 0x00});
    return answer;
  });
  BOOST_TEST(name(flood.code()) == "data_length");
}

BOOST_AUTO_TEST_CASE(an_answer_of_64_kib_is_taken) {
  std::size_t left = 65536;
  const auto whole = answer_of([&](ByteView) -> Result<Bytes> {
    Bytes answer(256, 0xaa);
    left -= 256;
    answer.insert(answer.end(), {Byte(left == 0 ? 0x90 : 0x61), 0x00});
    return answer;
  });
  BOOST_REQUIRE(whole.ok());
  BOOST_TEST(whole->data.size() == 65536u);
}

BOOST_AUTO_TEST_CASE(an_answer_without_status_word_is_a_failure_of_the_card) {
  for (const std::string_view answer : {"", "90"}) {
    const auto response = answer_of([&](ByteView) -> Result<Bytes> { return hex(answer); });
    BOOST_TEST(name(response.code()) == "device_error");
  }
}

BOOST_AUTO_TEST_CASE(a_removed_card_ends_the_command) {
  const Bytes data(600, 0x11);
  std::size_t sent = 0;
  const auto gone = answer_of(
      [&](ByteView) -> Result<Bytes> {
        if (++sent == 2) return Code::device_removed;
        return hex("9000");
      },
      {.ins = 0xdb, .data = data});
  BOOST_TEST(name(gone.code()) == "device_removed");
  BOOST_TEST(sent == 2u);
}

BOOST_AUTO_TEST_CASE(refused_extended_length_is_left_for_good) {
  const Bytes data(256, 0x11);
  ApduLimits learnt;
  answer_to({.ins = 0x87, .data = data},
            {{"00870000000100" + repeated("11", 256) + "0000", "6700"},
             {"10870000ff" + repeated("11", 255), "9000"},
             {"008700000111"
              "00",
              "9000"}},
            extended, &learnt);
  BOOST_TEST((learnt == short_only));
}

BOOST_AUTO_TEST_CASE(a_length_that_is_wrong_in_every_form_teaches_nothing) {
  ApduLimits learnt;
  const Response response =
      answer_to({.ins = 0xcb}, {{"00cb0000000000", "6700"}, {"00cb000000", "6700"}}, extended, &learnt);
  BOOST_TEST(response.status == 0x6700);
  BOOST_TEST((learnt == extended));
}

BOOST_AUTO_TEST_CASE(a_reader_that_cannot_carry_extended_length_is_remembered) {
  const auto channel = channel_to(
      [](ByteView command) -> Result<Bytes> {
        if (command.size() > 5) return Code::device_error;
        return hex("9000");
      },
      extended);
  CardTransaction transaction = transaction_on(channel);
  BOOST_TEST(transaction.transmit({.ins = 0xcb}).ok());
  BOOST_TEST(!channel->limits().extended_possible);
  transaction.allow_extended();
  BOOST_TEST((channel->limits() == short_only));
}

BOOST_AUTO_TEST_CASE(refused_chaining_leads_to_extended_length) {
  const Bytes data(300, 0x11);
  for (const std::string_view refusal : {"6884", "6e00", "6700"}) {
    ApduLimits learnt;
    answer_to(
        {.ins = 0xdb, .data = data, .expects_data = false},
        {{"10db0000ff" + repeated("11", 255), std::string(refusal)}, {"00db000000012c" + repeated("11", 300), "9000"}},
        {}, &learnt);
    BOOST_TEST(!learnt.chaining);
    BOOST_TEST(learnt.command_data == 65535u);
  }
}

BOOST_AUTO_TEST_CASE(what_no_form_can_carry_is_an_error) {
  const Bytes data(300, 0x11);
  CardTransaction transaction = transaction_on(channel_to([](ByteView) -> Result<Bytes> { return hex("9000"); },
                                                          {.chaining = false, .extended_possible = false}));
  BOOST_TEST(name(transaction.transmit({.ins = 0xdb, .data = data}).code()) == "data_length");
}

BOOST_AUTO_TEST_CASE(a_module_may_know_better_than_the_answer_to_reset) {
  ScriptedCard card({{"00cb000000", "9000"}, {"00cb0000000000", "9000"}});
  CardTransaction transaction = transaction_on(channel_to(std::ref(card)));
  BOOST_TEST(transaction.transmit({.ins = 0xcb}).ok());
  transaction.allow_extended();
  BOOST_TEST(transaction.transmit({.ins = 0xcb}).ok());
  BOOST_TEST(card.finished());
}

BOOST_AUTO_TEST_CASE(call_turns_status_words_into_errors) {
  CardTransaction transaction = transaction_on(channel_to([](ByteView) -> Result<Bytes> { return hex("63c2"); }));
  const auto response = transaction.call({.ins = 0x20});
  BOOST_REQUIRE(!response.ok());
  BOOST_TEST(name(response.code()) == "pin_incorrect");
  BOOST_TEST(response.error().retries_left.value() == 2);
}

BOOST_AUTO_TEST_CASE(a_reset_is_told_to_the_next_transaction_once) {
  const auto channel = channel_to([](ByteView) -> Result<Bytes> { return hex("9000"); });
  BOOST_TEST(transaction_on(channel).card_was_reset());
  {
    CardTransaction transaction = transaction_on(channel);
    BOOST_TEST(!transaction.card_was_reset());
    transaction.reset_at_end();
  }
  BOOST_TEST(transaction_on(channel).card_was_reset());
  BOOST_TEST(!transaction_on(channel).card_was_reset());
}

BOOST_AUTO_TEST_CASE(an_observer_sees_no_secrets) {
  const auto observer = std::make_shared<Observer>();
  const auto channel = channel_to([](ByteView) -> Result<Bytes> { return hex("5345435245549000"); }, extended);
  channel->set_observer(observer);
  {
    CardTransaction transaction = transaction_on(channel);
    const Bytes secret(300, 0x31);
    const ByteView pin = ByteView(secret).first(8);
    (void)transaction.transmit({.ins = 0xff, .data = pin, .expects_data = false, .secret_data = true});
    (void)transaction.transmit({.ins = 0xfe, .data = secret, .secret_data = true, .secret_answer = true});
    (void)transaction.transmit({.ins = 0xcb});
    // A PIN is one even where its sender forgot to say so.
    (void)transaction.transmit({.ins = 0x20, .data = pin, .expects_data = false});
  }
  BOOST_TEST(observer->lines ==
             "reset\n"
             "00ff000008<8> 5345435245549000\n"
             "00fe000000012c<300>0000 <6>9000\n"
             "00cb0000000000 5345435245549000\n"
             "0020000008<8> 5345435245549000\n");
}

BOOST_AUTO_TEST_CASE(an_observer_sees_why_there_was_no_answer) {
  const auto observer = std::make_shared<Observer>();
  const auto channel = channel_to([](ByteView) -> Result<Bytes> { return error(Code::device_removed, "pulled"); });
  channel->set_observer(observer);
  (void)transaction_on(channel).transmit({.ins = 0xcb});
  BOOST_TEST(observer->lines.find("00cb000000 ") != std::string::npos);
  BOOST_TEST(observer->lines.find("pulled") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
