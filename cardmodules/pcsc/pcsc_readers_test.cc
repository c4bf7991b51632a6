#include "pcsc/pcsc_readers.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "pcsc/card_transaction.h"
#include "pcsc/fake_pcsc.h"
#include "pcsc/test_support.h"

using namespace cardea;
using namespace cardea::card;
using namespace std::chrono_literals;

namespace {

const std::string first = "Cardea Test Reader 00 00";
const std::string second = "Other Reader 01 00";
constexpr std::string_view atr = "3b021450";

struct World {
  /// An answer that is younger than this call.
  std::vector<Reader> now() {
    auto list = fresh_list();
    BOOST_REQUIRE(list.ok());
    return *std::move(list);
  }
  Result<std::vector<Reader>> fresh_list() {
    std::this_thread::sleep_until(fresh_until);
    const auto before = std::chrono::steady_clock::now();
    auto list = readers.list();
    // A list is good for 20 ms, or three times as long as it took, which on a busy machine is more.
    const auto after = std::chrono::steady_clock::now();
    fresh_until = after + std::max<std::chrono::steady_clock::duration>(25ms, 3 * (after - before));
    return list;
  }
  FakePcsc pcsc;
  PcscReaders readers{pcsc.api()};
  std::chrono::steady_clock::time_point fresh_until;
};

/// Counts calls of a listener.
class Bell {
 public:
  std::function<void()> button() {
    return [count = count_] { ++*count; };
  }
  int rings() const { return *count_; }

 private:
  std::shared_ptr<std::atomic<int>> count_ = std::make_shared<std::atomic<int>>(0);
};

struct Listening : World {
  void a_reader_in_between_is_told() {
    Bell bell;
    pcsc.add_reader(first);
    readers.listen(bell.button());
    BOOST_TEST(pcsc.eventually([&] { return bell.rings() == 1; }));
    pcsc.add_reader_before_next_wait(second);
    pcsc.reset_by_another(first);
    BOOST_TEST(pcsc.eventually([&] { return bell.rings() == 2; }));
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pcsc_readers, World)

BOOST_AUTO_TEST_CASE(a_host_without_readers_has_none) {
  BOOST_TEST(now().empty());
  BOOST_TEST(readers.open(first) == nullptr);
}

BOOST_AUTO_TEST_CASE(readers_and_cards_come_and_go) {
  pcsc.add_reader(first);
  BOOST_REQUIRE(now().size() == 1u);
  BOOST_TEST(now()[0].name == first);
  BOOST_TEST(now()[0].vendor == "Cardea");
  BOOST_TEST((now()[0].content == ReaderContent::nothing));
  BOOST_TEST(now()[0].insertion == 0u);
  BOOST_TEST(now()[0].insertion_identity.empty());
  pcsc.insert(first, hex(atr));
  BOOST_TEST((now()[0].content == ReaderContent::card));
  BOOST_TEST(to_hex(now()[0].atr) == atr);
  pcsc.add_reader(second);
  BOOST_TEST(now().size() == 2u);
  pcsc.remove_reader(first);
  BOOST_REQUIRE(now().size() == 1u);
  BOOST_TEST(now()[0].name == second);
}

BOOST_AUTO_TEST_CASE(every_insertion_is_another_one) {
  pcsc.add_reader(first);
  pcsc.insert(first, hex(atr));
  const Reader before = now()[0];
  BOOST_TEST(now()[0].insertion == before.insertion);
  BOOST_TEST(same_bytes(now()[0].insertion_identity, before.insertion_identity));
  pcsc.pull(first);
  pcsc.insert(first, hex(atr));
  const Reader after = now()[0];
  BOOST_TEST(after.insertion != before.insertion);
  BOOST_TEST(!same_bytes(after.insertion_identity, before.insertion_identity));
}

BOOST_AUTO_TEST_CASE(a_mute_card_is_told_from_one_that_answers) {
  pcsc.add_reader(first);
  pcsc.insert(first, hex(atr));
  const std::uint64_t answering = now()[0].insertion;
  pcsc.make_mute(first);
  const Reader mute = now()[0];
  BOOST_TEST((mute.content == ReaderContent::mute_card));
  BOOST_TEST(mute.insertion != answering);
}

BOOST_AUTO_TEST_CASE(one_insertion_has_one_channel) {
  pcsc.add_reader(first);
  pcsc.insert(first, hex(atr));
  now();
  const CardChannelPtr channel = readers.open(first);
  BOOST_REQUIRE(channel != nullptr);
  BOOST_TEST(readers.open(first) == channel);
  BOOST_TEST(CardTransaction::begin(channel).ok());
  pcsc.pull(first);
  pcsc.insert(first, hex(atr));
  now();
  BOOST_TEST(readers.open(first) != channel);
  BOOST_TEST(CardTransaction::begin(readers.open(first)).ok());
  BOOST_TEST(name(CardTransaction::begin(channel).code()) == "device_removed");
}

BOOST_AUTO_TEST_CASE(an_empty_reader_has_no_channel) {
  pcsc.add_reader(first);
  now();
  BOOST_TEST(readers.open(first) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_service_that_stops_and_starts_is_found_again) {
  pcsc.add_reader(first);
  pcsc.insert(first, hex(atr));
  const std::uint64_t before = now()[0].insertion;
  pcsc.stop_service();
  BOOST_TEST(name(fresh_list().code()) == "device_error");
  pcsc.start_service();
  BOOST_TEST(now().empty());
  pcsc.add_reader(first);
  pcsc.insert(first, hex(atr));
  BOOST_TEST(now()[0].insertion != before);
}

BOOST_AUTO_TEST_CASE(a_service_that_hangs_is_asked_seldom) {
  pcsc.add_reader(first);
  now();
  pcsc.hang(true);
  BOOST_TEST(name(fresh_list().code()) == "timed_out");
  BOOST_TEST(name(readers.list().code()) == "timed_out");
  pcsc.hang(false);
  BOOST_TEST(pcsc.eventually([&] { return readers.list().ok(); }));
}

BOOST_AUTO_TEST_CASE(a_listener_hears_of_every_change) {
  Bell bell;
  readers.listen(bell.button());
  BOOST_TEST(pcsc.eventually([&] { return bell.rings() == 1; }));
  const auto heard = [&](int rings) { return pcsc.eventually([&] { return bell.rings() >= rings; }); };
  pcsc.add_reader(first);
  BOOST_TEST(heard(2));
  for (int round = 0; round < 50; ++round) {
    const int before = bell.rings();
    pcsc.insert(first, hex(atr));
    BOOST_TEST(heard(before + 1));
    pcsc.pull(first);
    BOOST_TEST(heard(before + 2));
  }
  const int before = bell.rings();
  pcsc.remove_reader(first);
  BOOST_TEST(heard(before + 1));
  readers.listen(nullptr);
}

BOOST_AUTO_TEST_CASE(a_listener_hears_of_the_service_too) {
  Bell bell;
  pcsc.add_reader(first);
  readers.listen(bell.button());
  BOOST_TEST(pcsc.eventually([&] { return bell.rings() == 1; }));
  pcsc.stop_service();
  BOOST_TEST(pcsc.eventually([&] { return bell.rings() == 2; }));
  pcsc.start_service();
  BOOST_TEST(pcsc.eventually([&] { return bell.rings() == 3; }));
  pcsc.add_reader(first);
  BOOST_TEST(pcsc.eventually([&] { return bell.rings() == 4; }));
}

BOOST_AUTO_TEST_CASE(what_makes_no_difference_is_not_told) {
  Bell bell;
  pcsc.add_reader(first);
  pcsc.insert(first, hex(atr));
  readers.listen(bell.button());
  BOOST_TEST(pcsc.eventually([&] { return bell.rings() == 1; }));
  for (int round = 0; round < 20; ++round) pcsc.reset_by_another(first);
  pcsc.add_reader(second);
  BOOST_TEST(pcsc.eventually([&] { return bell.rings() >= 2; }));
  BOOST_TEST(bell.rings() == 2);
}

BOOST_FIXTURE_TEST_CASE(a_reader_that_comes_between_a_look_and_the_wait_is_told, Listening) {
  a_reader_in_between_is_told();
}

BOOST_FIXTURE_TEST_CASE(a_service_that_counts_its_readers_tells_of_one_between_a_look_and_the_wait, Listening) {
  pcsc.count_readers();
  a_reader_in_between_is_told();
}

BOOST_AUTO_TEST_CASE(listening_ends_at_once_at_any_moment) {
  pcsc.add_reader(first);
  for (int round = 0; round < 50; ++round) {
    Bell bell;
    readers.listen(bell.button());
    if (round % 2 == 0) BOOST_TEST(pcsc.eventually([&] { return bell.rings() == 1; }));
    readers.listen(nullptr);
    const int rings = bell.rings();
    pcsc.insert(first, hex(atr));
    pcsc.pull(first);
    BOOST_TEST(bell.rings() == rings);
  }
}

BOOST_AUTO_TEST_CASE(listening_ends_in_bounded_time_under_a_service_that_hangs) {
  Bell bell;
  pcsc.hang(true);
  readers.listen(bell.button());
  readers.listen(nullptr);
  BOOST_TEST(bell.rings() == 0);
  pcsc.hang(false);
  BOOST_TEST(pcsc.eventually([&] { return pcsc.open_contexts() == 0; }));
  BOOST_TEST(bell.rings() == 0);
}

BOOST_AUTO_TEST_CASE(a_host_without_the_service_says_so_in_words) {
  setenv("PCSCLITE_CSOCK_NAME", "/nonexistent/pcscd.comm", 1);
  PcscReaders of_this_host;
  const auto list = of_this_host.list();
  unsetenv("PCSCLITE_CSOCK_NAME");
  BOOST_REQUIRE(!list.ok());
  BOOST_TEST(name(list.code()) == "device_error");
  BOOST_TEST(list.error().detail.find("/nonexistent/pcscd.comm") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
