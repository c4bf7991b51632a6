// A card at work, between a reader that the test plays and the control socket.
#include "card_program/card_service.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <thread>

#include "card/card_testing.h"
#include "card_program/commands.h"
#include "card_program/state_lock.h"

using namespace cardea;
using namespace cardea::vcard;

namespace {

constexpr timeval patience{20, 0};

// vpcd's side of the connection.
class Reader {
 public:
  Reader() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_REQUIRE(::listen(listener_, 1) == 0);
    socklen_t size = sizeof address;
    BOOST_REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
    BOOST_REQUIRE(::setsockopt(listener_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
  }
  ~Reader() {
    if (card_ >= 0) ::close(card_);
    ::close(listener_);
  }

  void wait_for_card() {
    if (card_ >= 0) ::close(card_);
    card_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    BOOST_REQUIRE(card_ >= 0);
    BOOST_REQUIRE(::setsockopt(card_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
  }

  // Length and message apart, as vpcd's peers may see them.
  void send(ByteView message) {
    const Byte length[] = {static_cast<Byte>(message.size() >> 8), static_cast<Byte>(message.size())};
    BOOST_REQUIRE(::send(card_, length, sizeof length, MSG_NOSIGNAL) == 2);
    BOOST_REQUIRE(::send(card_, message.data(), message.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(message.size()));
  }

  // Hexadecimal; "gone" when the card closed the connection.
  std::string receive() {
    Byte length[2];
    if (::recv(card_, length, sizeof length, MSG_WAITALL) != 2) return "gone";
    Bytes message(static_cast<std::size_t>(length[0] << 8 | length[1]));
    if (::recv(card_, message.data(), message.size(), MSG_WAITALL) != static_cast<ssize_t>(message.size()))
      return "gone";
    return to_hex(message);
  }

  std::string exchange(std::string_view message) {
    send(hex(message));
    return receive();
  }

  std::uint16_t port = 0;

 private:
  int listener_ = -1;
  int card_ = -1;
};

class Running {
 public:
  explicit Running(const Reader& reader, ServiceOptions options = {},
                   CardState state = CardState{new_initialised_gids()})
      : card_(std::move(state)) {
    options.port = reader.port;
    options.control = folder_.path / "ctl";
    control_ = options.control;
    service_.emplace(card_, std::move(options));
    thread_ = std::thread([this] { ended_well_ = service_->run().ok(); });
  }
  ~Running() {
    (void)ask("quit");
    thread_.join();
    service_.reset();
    BOOST_TEST(ended_well_);
    BOOST_TEST(!std::filesystem::exists(control_));
  }

  std::string ask(std::string_view line) {
    for (int attempt = 0; attempt < 500; ++attempt) {
      const auto answer = ask_control(control_, line);
      if (answer) return *answer;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return "no answer";
  }

 private:
  Folder folder_;
  std::filesystem::path control_;
  VirtualCard card_;
  std::optional<CardService> service_;
  std::thread thread_;
  bool ended_well_ = false;
};

constexpr std::string_view done = "{\"ok\":true}";
constexpr std::string_view select_gids = "00a4040009a0000003974254465900";

}  // namespace

BOOST_AUTO_TEST_SUITE(card_service)

BOOST_AUTO_TEST_CASE(a_card_gets_power_tells_its_atr_and_answers) {
  Reader reader;
  Running running(reader);
  reader.wait_for_card();
  reader.send(hex("01"));
  BOOST_TEST(reader.exchange("04") == "3b8e018073c001c0584341524445412d564e");
  BOOST_TEST(reader.exchange(select_gids).ends_with("9000"));
  BOOST_TEST(reader.exchange("0020008000") == "63c3");
  reader.send(hex("02"));
  BOOST_TEST(reader.exchange("0020008000") == "6d00");
  BOOST_TEST(running.ask("count") == "{\"ok\":true,\"apdus\":3}");
  BOOST_TEST(running.ask("status").find("\"powered\":true") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_card_is_removed_and_inserted) {
  Reader reader;
  Running running(reader);
  reader.wait_for_card();
  BOOST_TEST(running.ask("remove") == done);
  BOOST_TEST(reader.receive() == "gone");
  BOOST_TEST(running.ask("status").find("\"inserted\":false") != std::string::npos);
  BOOST_TEST(running.ask("insert") == done);
  reader.wait_for_card();
  BOOST_TEST(reader.exchange(select_gids).ends_with("9000"));
}

BOOST_AUTO_TEST_CASE(a_card_waits_outside_until_it_is_inserted) {
  Reader reader;
  Running running(reader, ServiceOptions{.inserted = false});
  BOOST_TEST(running.ask("status").find("\"inserted\":false") != std::string::npos);
  BOOST_TEST(running.ask("insert") == done);
  reader.wait_for_card();
  BOOST_TEST(reader.exchange("04").starts_with("3b8e"));
}

BOOST_AUTO_TEST_CASE(faults_are_armed_on_the_socket) {
  Reader reader;
  Running running(reader);
  reader.wait_for_card();
  BOOST_TEST(running.ask("fault status@2=6f00") == done);
  BOOST_TEST(reader.exchange(select_gids).ends_with("9000"));
  BOOST_TEST(reader.exchange(select_gids) == "6f00");
  BOOST_TEST(running.ask("short on") == done);
  BOOST_TEST(reader.exchange("00a40400000009a000000397425446590000") == "6700");
  BOOST_TEST(running.ask("short off") == done);
  BOOST_TEST(running.ask("delay 5") == done);
  BOOST_TEST(reader.exchange(select_gids).ends_with("9000"));
  BOOST_TEST(running.ask("fault pull@1") == done);
  BOOST_TEST(reader.exchange(select_gids) == "gone");
}

BOOST_AUTO_TEST_CASE(a_mute_card_can_be_taken_out) {
  Reader reader;
  Running running(reader);
  reader.wait_for_card();
  BOOST_TEST(running.ask("fault mute@1") == done);
  reader.send(hex(select_gids));
  BOOST_TEST(running.ask("remove") == done);
  BOOST_TEST(reader.receive() == "gone");
  BOOST_TEST(running.ask("insert") == done);
  reader.wait_for_card();
  BOOST_TEST(reader.exchange(select_gids).ends_with("9000"));
}

BOOST_AUTO_TEST_CASE(a_key_waits_for_its_touch) {
  Reader reader;
  auto piv = new_piv({});
  BOOST_REQUIRE(piv.ok());
  piv->keys.insert_or_assign(Byte{0x9E}, PivKey{*CardKey::generate(KeyType::p256), PinPolicy::never,
                                                TouchPolicy::always, KeyOrigin::generated});
  Running running(reader, ServiceOptions{.touch = std::chrono::seconds(600)}, CardState{std::move(*piv)});
  reader.wait_for_card();
  BOOST_TEST(reader.exchange("00a4040005a00000030800").ends_with("9000"));
  BOOST_TEST(running.ask("touch").find("\"ok\":false") != std::string::npos);
  reader.send(hex("0087119e267c2482008120" + std::string(64, '5') + "00"));
  bool touched = false;
  for (int attempt = 0; attempt < 1000 && !touched; ++attempt) {
    touched = running.ask("touch") == done;
    if (!touched) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  BOOST_TEST(touched);
  if (touched) BOOST_TEST(reader.receive().ends_with("9000"));
}

BOOST_AUTO_TEST_CASE(a_touch_that_does_not_come_is_refused) {
  Reader reader;
  auto piv = new_piv({});
  BOOST_REQUIRE(piv.ok());
  piv->management.touch_policy = TouchPolicy::always;
  Running running(reader, ServiceOptions{.touch = std::chrono::seconds(1)}, CardState{std::move(*piv)});
  reader.wait_for_card();
  BOOST_TEST(reader.exchange("00a4040005a00000030800").ends_with("9000"));
  BOOST_TEST(reader.exchange("00870a9b047c02810000").ends_with("9000"));
  BOOST_TEST(reader.exchange("00870a9b147c128210" + std::string(32, '0') + "00") == "6982");
  BOOST_TEST(running.ask("count") == "{\"ok\":true,\"apdus\":3}");
}

BOOST_AUTO_TEST_CASE(the_log_is_shown_and_cleared) {
  Reader reader;
  Running running(reader);
  reader.wait_for_card();
  (void)reader.exchange(select_gids);
  (void)reader.exchange("0020008006313233343536");
  const std::string log = running.ask("log");
  BOOST_TEST(log.find("00200080<7 bytes>") != std::string::npos);
  BOOST_TEST(log.find("313233") == std::string::npos);
  BOOST_TEST(running.ask("log clear") == done);
  BOOST_TEST(running.ask("log") == "{\"ok\":true,\"log\":[]}");
}

BOOST_AUTO_TEST_CASE(nonsense_on_the_socket_is_refused) {
  Reader reader;
  Running running(reader);
  for (const char* line :
       {"", "nonsense", "fault", "fault pull", "delay x", "delay -1", "delay 60001", "short maybe"}) {
    BOOST_TEST(running.ask(line).find("\"ok\":false") != std::string::npos, "line " << line);
  }
}

BOOST_AUTO_TEST_CASE(cards_are_made_and_one_process_has_them) {
  const Folder folder;
  const CreateOptions piv{.kind = "piv", .state = folder.path / "card", .piv = {}, .global_pin = "777777"};
  BOOST_TEST(create_card(piv).ok());
  BOOST_TEST((create_card(piv).code() == Code::exists));
  const auto state = read_state(folder.path / "card");
  BOOST_REQUIRE(state.ok());
  BOOST_TEST(std::get<PivState>(state->content).global_pin.has_value());
  BOOST_TEST((create_card({.kind = "other", .state = folder.path / "other"}).code() == Code::arguments_bad));
  BOOST_TEST(create_card({.kind = "gids", .state = folder.path / "card", .replace = true, .initialised = true}).ok());
  BOOST_TEST((load_card({.state = folder.path / "card"}).code() == Code::function_not_supported));
  BOOST_TEST(create_card({.kind = "gids", .state = folder.path / "puk", .puk = "87654321"}).ok());
  BOOST_TEST(std::get<GidsState>(read_state(folder.path / "puk")->content).puk.has_value());
  BOOST_TEST((create_card({.kind = "gids", .state = folder.path / "short", .puk = "1"}).code() == Code::pin_length));
  const auto lock = StateLock::take(folder.path / "card");
  BOOST_REQUIRE(lock.ok());
  BOOST_TEST((load_card({.state = folder.path / "card"}).code() == Code::exists));
}

BOOST_AUTO_TEST_CASE(items_to_load_are_parsed) {
  const auto item = parse_load_item("9A=some=file");
  BOOST_REQUIRE(item.ok());
  BOOST_TEST(item->number == 0x9Au);
  BOOST_TEST(item->file.string() == "some=file");
  for (const char* broken : {"", "9A", "9A=", "=file", "xx=file", "9Ax=file"}) {
    BOOST_TEST((parse_load_item(broken).code() == Code::arguments_bad), "text " << broken);
  }
}

BOOST_AUTO_TEST_SUITE_END()
