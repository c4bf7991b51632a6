// A virtual card at work: between the reader it is put into and the control socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "card/faults.h"
#include "card/virtual_card.h"
#include "card_program/control_server.h"
#include "card_program/reader_connection.h"

namespace cardea::vcard {

struct ServiceOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 35963;
  std::filesystem::path control = {};  ///< empty: no control socket
  bool inserted = true;                ///< put into the reader at once
  bool short_only = false;
  bool exact_length = false;
  std::chrono::milliseconds delay{0};  ///< before each answer
  std::chrono::seconds touch{0};       ///< how long a key that wants a touch waits for it; 0: it is touched at once
  std::vector<Fault> faults = {};
};

class CardService {
 public:
  CardService(VirtualCard& card, ServiceOptions options);

  /// Serves until SIGTERM, SIGINT or the control command "quit". A reader that is not there yet or goes away is tried
  /// again every 100 ms. Codes: those of ControlServer::listen, arguments_bad.
  Status run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Delayed {
    Clock::time_point due;
    Bytes response;
  };

  /// A command that waits for a touch.
  struct Held {
    Clock::time_point until;
    Bytes command;
  };

  Status step();
  int poll_timeout() const;
  void keep_connected();
  void serve_reader();
  void handle_message(ByteView message);
  void handle_command(ByteView command);
  void answer(Outcome outcome);
  void end_waiting();
  bool touch();
  void send(ByteView response);
  void send_when_due();
  void insert();
  void remove();

  std::string control(std::string_view line);
  std::string report() const;
  std::string show_log();
  bool set(std::string_view what, std::string_view value);

  VirtualCard& card_;
  CardChannel channel_;
  ServiceOptions options_;
  ControlServer control_;
  ReaderConnection reader_;
  std::optional<Delayed> delayed_;
  std::optional<Held> held_;
  Clock::time_point next_attempt_{};
  Clock::time_point removed_at_{};
  int signals_ = -1;
  bool inserted_ = false;
  bool powered_ = false;
  bool stop_ = false;
};

}  // namespace cardea::vcard
