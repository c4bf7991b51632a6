#include "pcsc/pcsc_channel.h"

#include <reader.h>

#include <thread>

#include "pcsc/card_transaction.h"
#include "pcsc/fake_pcsc.h"
#include "pcsc/test_support.h"
#include "pcsc/typing_pad.h"

using namespace cardea;
using namespace cardea::card;
using namespace std::chrono_literals;

namespace {

const std::string reader = "Cardea Test Reader 00 00";
const std::string other_reader = "Cardea Other Reader 00 00";
// Its historical bytes promise extended length.
constexpr std::string_view atr = "3bfd1300008131fe158073c021c057597562694b657940";

struct World {
  World() {
    for (const std::string& name : {reader, other_reader}) {
      pcsc.add_reader(name);
      pcsc.insert(name, hex(atr));
    }
  }
  std::shared_ptr<PcscChannel> channel(const std::string& name = reader) {
    return std::make_shared<PcscChannel>(pcsc.api(), pcsc.card_in(name));
  }
  FakePcsc pcsc;
};

std::string failure_of(const CardChannelPtr& channel) {
  const auto transaction = CardTransaction::begin(channel);
  return transaction ? "none" : std::string(name(transaction.code()));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pcsc_channel, World)

BOOST_AUTO_TEST_CASE(a_transaction_connects_and_lets_go) {
  const auto channel = this->channel();
  BOOST_TEST(pcsc.connects() == 0u);
  {
    auto transaction = CardTransaction::begin(channel);
    BOOST_REQUIRE(transaction.ok());
    BOOST_TEST(transaction->card_was_reset());
    BOOST_TEST(pcsc.open_handles() == 1u);
    BOOST_TEST(transaction->transmit({.ins = 0xcb}).ok());
  }
  BOOST_TEST(pcsc.open_handles() == 0u);
  BOOST_TEST(pcsc.commands().size() == 1u);
}

BOOST_AUTO_TEST_CASE(after_a_rest_nothing_is_left_at_the_service) {
  const auto channel = this->channel();
  BOOST_TEST(CardTransaction::begin(channel).ok());
  BOOST_TEST(pcsc.eventually([&] { return pcsc.open_contexts() == 0; }));
  BOOST_TEST(CardTransaction::begin(channel).ok());
}

BOOST_AUTO_TEST_CASE(a_card_that_may_have_lost_its_power_counts_as_reset) {
  const auto channel = this->channel();
  const auto was_reset = [&] {
    const auto transaction = CardTransaction::begin(channel);
    return !transaction || transaction->card_was_reset();
  };
  BOOST_TEST(was_reset());
  // On a busy machine it may take a few rounds until two uses follow each other closely.
  BOOST_TEST(pcsc.eventually([&] { return !was_reset(); }));
  std::this_thread::sleep_for(400ms);
  BOOST_TEST(was_reset());
}

BOOST_AUTO_TEST_CASE(a_transaction_in_which_nothing_happens_for_long_stays) {
  const auto channel = this->channel();
  auto transaction = CardTransaction::begin(channel);
  BOOST_REQUIRE(transaction.ok());
  std::this_thread::sleep_for(2500ms);  // longer than the channel's thread waits for work
  BOOST_TEST(pcsc.open_handles() == 1u);
  BOOST_TEST(transaction->transmit({.ins = 0xcb}).ok());
}

BOOST_AUTO_TEST_CASE(a_reset_while_connected_is_told) {
  const auto channel = this->channel();
  channel->keep_connected(true);
  BOOST_TEST(CardTransaction::begin(channel)->card_was_reset());
  BOOST_TEST(!CardTransaction::begin(channel)->card_was_reset());
  BOOST_TEST(pcsc.open_handles() == 1u);
  pcsc.reset_by_another(reader);
  BOOST_TEST(CardTransaction::begin(channel)->card_was_reset());
  BOOST_TEST(!CardTransaction::begin(channel)->card_was_reset());
  BOOST_TEST(pcsc.connects() == 1u);
  channel->keep_connected(false);
  BOOST_TEST(pcsc.open_handles() == 0u);
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_kept_ends_with_its_channel) {
  auto channel = this->channel();
  channel->keep_connected(true);
  BOOST_TEST(CardTransaction::begin(channel).ok());
  BOOST_TEST(pcsc.open_handles() == 1u);
  channel.reset();
  BOOST_TEST(pcsc.open_contexts() == 0u);
}

BOOST_AUTO_TEST_CASE(a_reset_of_ours_is_told_to_the_next_transaction) {
  const auto channel = this->channel();
  {
    auto transaction = CardTransaction::begin(channel);
    BOOST_REQUIRE(transaction.ok());
    transaction->reset_at_end();
  }
  BOOST_TEST(CardTransaction::begin(channel)->card_was_reset());
}

BOOST_AUTO_TEST_CASE(a_pulled_card_is_removed_for_good) {
  const auto channel = this->channel();
  BOOST_TEST(failure_of(channel) == "none");
  pcsc.pull(reader);
  BOOST_TEST(failure_of(channel) == "device_removed");
  // The next card, even the same one, is another insertion: nothing of the old one may be sent to it.
  pcsc.insert(reader, hex(atr));
  BOOST_TEST(failure_of(channel) == "device_removed");
  BOOST_TEST(failure_of(this->channel()) == "none");
  pcsc.remove_reader(reader);
  BOOST_TEST(failure_of(channel) == "device_removed");
}

BOOST_AUTO_TEST_CASE(a_card_pulled_during_a_command_is_removed) {
  auto transaction = CardTransaction::begin(channel());
  BOOST_REQUIRE(transaction.ok());
  pcsc.answer_by([](ByteView) { return Bytes{0x90, 0x00}; });
  pcsc.pull(reader);
  BOOST_TEST(name(transaction->transmit({.ins = 0xcb}).code()) == "device_removed");
}

BOOST_AUTO_TEST_CASE(an_empty_answer_of_a_card_that_is_gone_is_its_removal) {
  auto transaction = CardTransaction::begin(channel());
  BOOST_REQUIRE(transaction.ok());
  std::thread puller;
  pcsc.answer_by([&](ByteView) {
    puller = std::thread([&] { pcsc.pull(reader); });
    return Bytes{};
  });
  BOOST_TEST(name(transaction->transmit({.ins = 0xcb}).code()) == "device_removed");
  puller.join();
}

BOOST_AUTO_TEST_CASE(a_broken_exchange_is_the_cards_failure_while_it_is_there) {
  auto transaction = CardTransaction::begin(channel());
  BOOST_REQUIRE(transaction.ok());
  pcsc.fail_exchanges_with(SCARD_E_NOT_TRANSACTED);
  const Bytes data(8, 1);
  BOOST_TEST(name(transaction->transmit({.ins = 0xdb, .data = data, .expects_data = false}).code()) == "device_error");
}

BOOST_AUTO_TEST_CASE(a_foreign_transaction_costs_a_bounded_time) {
  const auto channel = this->channel();
  pcsc.hold(reader, true);
  BOOST_TEST(failure_of(channel) == "timed_out");
  BOOST_TEST(failure_of(this->channel(other_reader)) == "none");
  pcsc.hold(reader, false);
  // The call that was left behind must not keep what it got at last.
  BOOST_TEST(pcsc.eventually([&] { return pcsc.open_handles() == 0; }));
  BOOST_TEST(failure_of(channel) == "none");
  BOOST_TEST(pcsc.commands().empty());
}

BOOST_AUTO_TEST_CASE(a_card_that_another_program_keeps_for_itself_costs_a_bounded_time) {
  const auto channel = this->channel();
  pcsc.hold_exclusively(reader, true);
  BOOST_TEST(failure_of(channel) == "timed_out");
  pcsc.hold_exclusively(reader, false);
  BOOST_TEST(failure_of(channel) == "none");
}

BOOST_AUTO_TEST_CASE(a_mute_card_holds_up_nobody_else) {
  const auto channel = this->channel();
  pcsc.mute_exchanges(reader, true);
  {
    auto transaction = CardTransaction::begin(channel);
    BOOST_REQUIRE(transaction.ok());
    const Command command{.ins = 0xcb, .patience = 500ms};
    BOOST_TEST(name(transaction->transmit(command).code()) == "timed_out");
    // It is asked no more in this transaction.
    BOOST_TEST(name(transaction->transmit({.ins = 0xcb}).code()) == "timed_out");
    BOOST_TEST(pcsc.commands().size() == 1u);
    auto other = CardTransaction::begin(this->channel(other_reader));
    BOOST_REQUIRE(other.ok());
    BOOST_TEST(other->transmit({.ins = 0xcb}).ok());
  }
  BOOST_TEST(failure_of(channel) == "timed_out");
  pcsc.mute_exchanges(reader, false);
  BOOST_TEST(pcsc.eventually([&] { return pcsc.open_handles() == 0; }));
  BOOST_TEST(failure_of(channel) == "none");
}

BOOST_AUTO_TEST_CASE(a_channel_may_go_while_its_card_is_mute) {
  auto channel = this->channel();
  pcsc.mute_exchanges(reader, true);
  {
    auto transaction = CardTransaction::begin(channel);
    BOOST_REQUIRE(transaction.ok());
    BOOST_TEST(!transaction->transmit({.ins = 0xcb, .patience = 500ms}).ok());
  }
  channel.reset();
  BOOST_TEST(pcsc.open_handles() == 1u);
  pcsc.mute_exchanges(reader, false);
  BOOST_TEST(pcsc.eventually([&] { return pcsc.open_contexts() == 0; }));
}

BOOST_AUTO_TEST_CASE(another_run_of_the_service_is_another_insertion) {
  const auto channel = this->channel();
  BOOST_TEST(failure_of(channel) == "none");
  pcsc.stop_service();
  BOOST_TEST(failure_of(channel) == "device_removed");
  pcsc.start_service();
  pcsc.add_reader(reader);
  pcsc.insert(reader, hex(atr));
  BOOST_TEST(failure_of(channel) == "device_removed");
  BOOST_TEST(failure_of(this->channel()) == "none");
}

BOOST_AUTO_TEST_CASE(threads_take_turns) {
  const auto channel = this->channel();
  std::atomic<int> inside{0};
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 25; ++round) {
        auto transaction = CardTransaction::begin(channel);
        if (!transaction || ++inside != 1 || !transaction->transmit({.ins = 0xcb})) ++failures;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(failures == 0);
}

BOOST_AUTO_TEST_CASE(limits_come_from_card_protocol_and_reader) {
  const auto extended = channel();
  BOOST_TEST(failure_of(extended) == "none");
  BOOST_TEST(extended->limits().command_data == 65535u);
  pcsc.use_protocol(SCARD_PROTOCOL_T0);
  const auto t0 = channel();
  BOOST_TEST(failure_of(t0) == "none");
  BOOST_TEST(!t0->limits().extended_possible);
  BOOST_TEST(t0->limits().command_data == 255u);
}

BOOST_AUTO_TEST_CASE(what_was_learnt_stays) {
  const auto channel = this->channel();
  BOOST_TEST(failure_of(channel) == "none");
  channel->learn({.extended_possible = false});
  BOOST_TEST(failure_of(channel) == "none");
  BOOST_TEST(!channel->limits().extended_possible);
}

BOOST_AUTO_TEST_CASE(a_t0_command_with_data_travels_without_le) {
  pcsc.use_protocol(SCARD_PROTOCOL_T0);
  const Bytes aid = hex("a000000308");
  pcsc.answer_by([](ByteView command) { return command[1] == 0xa4 ? hex("6102") : hex("61029000"); });
  auto transaction = CardTransaction::begin(channel());
  BOOST_REQUIRE(transaction.ok());
  const auto response = transaction->call({.ins = 0xa4, .p1 = 4, .data = aid});
  BOOST_REQUIRE(response.ok());
  BOOST_TEST(to_hex(response->data) == "6102");
  BOOST_TEST(pcsc.commands().at(0) == "00a4040005a000000308");
  BOOST_TEST(pcsc.commands().at(1) == "00c0000002");
}

BOOST_AUTO_TEST_CASE(a_reader_without_pad_has_none) {
  const auto channel = this->channel();
  BOOST_TEST(failure_of(channel) == "none");
  BOOST_TEST(channel->pin_pad() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_pin_is_verified_on_the_readers_pad) {
  Bytes seen;
  pcsc.control_by([&](DWORD code, ByteView input, Bytes& output) -> LONG {
    if (code == CM_IOCTL_GET_FEATURE_REQUEST) {
      output = hex("0604420000060704420000071204420000ff");
    } else if (code == 0x420000ff) {
      output = hex("0601040701080a0400000000");
    } else if (code == 0x42000006) {
      seen = to_bytes(input);
      output = hex("63c2");
    } else {
      return SCARD_E_UNSUPPORTED_FEATURE;
    }
    return SCARD_S_SUCCESS;
  });
  auto transaction = CardTransaction::begin(channel());
  BOOST_REQUIRE(transaction.ok());
  PinPad* const pad = transaction->pin_pad();
  BOOST_REQUIRE(pad != nullptr);
  const auto status = pad->verify({.p2 = 0x80, .min_length = 6});
  BOOST_REQUIRE(status.ok());
  BOOST_TEST(*status == 0x63c2);
  BOOST_TEST(to_hex(seen) ==
             "0000"
             "820800"
             "0806"
             "02010904"
             "00000000"
             "0d000000"
             "0020008008ffffffffffffffff");
  BOOST_TEST(!pad->modify({.ins = 0x24, .p2 = 0x80}, PinPad::Change::old_and_new).ok());
}

BOOST_AUTO_TEST_CASE(a_pin_is_changed_on_the_readers_pad) {
  std::string sent;
  TypingPad reader_pad([&](ByteView command) {
    sent = to_hex(command);
    return hex("9000");
  });
  pcsc.control_by([&](DWORD code, ByteView input, Bytes& output) -> LONG {
    output = code == CM_IOCTL_GET_FEATURE_REQUEST ? hex("060442000006070442000007") : reader_pad.control(code, input);
    return SCARD_S_SUCCESS;
  });
  auto transaction = CardTransaction::begin(channel());
  BOOST_REQUIRE(transaction.ok());
  PinPad* const pad = transaction->pin_pad();
  BOOST_REQUIRE(pad != nullptr);
  BOOST_TEST(pad->modifies());
  const auto change = [&] {
    const auto status = pad->modify({.ins = 0x24, .p2 = 0x80, .min_length = 6}, PinPad::Change::old_and_new);
    return status ? to_hex(Bytes{static_cast<Byte>(*status >> 8), static_cast<Byte>(*status)})
                  : std::string(name(status.code()));
  };
  reader_pad.typed = {"123456", "7654321", "7654321"};
  BOOST_TEST(change() == "9000");
  BOOST_TEST(sent == "0024008010313233343536ffff37363534333231ff");
  sent.clear();
  reader_pad.typed = {"123456", "7654321", "7654322"};
  BOOST_TEST(change() == "pin_invalid");
  reader_pad.typed = {"123456", "765"};
  BOOST_TEST(change() == "pin_length");
  reader_pad.typed = {"123456"};
  BOOST_TEST(change() == "function_canceled");
  BOOST_TEST(sent.empty());
}

BOOST_AUTO_TEST_SUITE_END()
