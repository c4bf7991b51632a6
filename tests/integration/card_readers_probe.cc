// A program of card_readers.sh: does what it is told on standard input through the PC/SC layer, one command a line, and
// answers on standard output.
//
//   list          each reader with its content and insertion number, then "end"
//   listen        begins to count events; "unlisten" ends that and says "unlistened"
//   events N      waits up to five seconds until N events were counted in all: "events" and how many there were
//   use           one transaction with SELECT of the PIV application on the first card: "ok reset|undisturbed", or the
//                 error's name; then the milliseconds it took
//   exclusive     connects to the first card as a program does that wants it for itself alone: "ok", or PC/SC's answer
//   keep          the same until the next word comes: "keeping" and then "ok", or PC/SC's answer
//   fork          a child uses the card; how that went, as for "use"
//   hold SECONDS  keeps a transaction on the first card: "holding", later "released"
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include "pcsc/card_transaction.h"
#include "pcsc/pcsc_api.h"
#include "pcsc/pcsc_readers.h"

using namespace cardea;
using namespace cardea::card;

namespace {

using Clock = std::chrono::steady_clock;

class Probe {
 public:
  void run() {
    std::string word;
    while (std::cin >> word) {
      if (word == "list") list();
      if (word == "listen") readers_.listen([this] { ++events_; });
      if (word == "unlisten") unlisten();
      if (word == "events") events();
      if (word == "use") use();
      if (word == "exclusive") std::cout << exclusively([] {}) << std::endl;
      if (word == "keep") keep();
      if (word == "fork") fork_and_use();
      if (word == "hold") hold();
    }
  }

 private:
  void list() {
    const auto readers = readers_.list();
    if (!readers) std::cout << "error " << describe(readers.error()) << '\n';
    if (readers) {
      for (const Reader& reader : *readers)
        std::cout << reader.name << ": " << content(reader.content) << ' ' << reader.insertion << '\n';
    }
    std::cout << "end" << std::endl;
  }

  void unlisten() {
    readers_.listen(nullptr);
    std::cout << "unlistened" << std::endl;
  }

  void events() {
    int wanted = 0;
    std::cin >> wanted;
    const auto deadline = Clock::now() + std::chrono::seconds(5);
    while (events_ < wanted && Clock::now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::cout << "events " << events_ << std::endl;
  }

  void use() {
    const auto began = Clock::now();
    const std::string outcome = used();
    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
    std::cout << outcome << ' ' << time.count() << std::endl;
  }

  void fork_and_use() {
    const pid_t child = fork();
    if (child == 0) {
      // What the parent had is its own; the child finds the service anew.
      Probe().use();
      _exit(EXIT_SUCCESS);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) std::cout << "the child failed 0" << std::endl;
  }

  std::string used() {
    static constexpr Byte piv[]{0xa0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00};
    auto transaction = begin();
    if (!transaction) return failed(transaction.error());
    const auto selected = transaction->call({.ins = 0xa4, .p1 = 0x04, .data = piv});
    if (!selected) return failed(selected.error());
    return transaction->card_was_reset() ? "ok reset" : "ok undisturbed";
  }

  /// The words go to the test's log.
  static std::string failed(const Error& error) {
    std::cerr << describe(error) << std::endl;
    return std::string(name(error.code));
  }

  /// Until the next word comes.
  void keep() {
    std::cout << exclusively([] {
      std::cout << "keeping" << std::endl;
      std::string word;
      std::cin >> word;
    }) << std::endl;
  }

  /// What PC/SC says to a connection that keeps the first card for this process alone; `meanwhile` runs within it.
  template <class Meanwhile>
  std::string exclusively(const Meanwhile& meanwhile) {
    const auto api = pcsc_api();
    SCARDCONTEXT context = 0;
    if (!api || (*api)->establish_context(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context) != SCARD_S_SUCCESS) {
      return "no service";
    }
    SCARDHANDLE card = 0;
    DWORD protocol = 0;
    const LONG rv =
        (*api)->connect(context, first_card().c_str(), SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_ANY, &card, &protocol);
    if (rv == SCARD_S_SUCCESS) {
      meanwhile();
      (*api)->disconnect(card, SCARD_LEAVE_CARD);
    }
    (*api)->release_context(context);
    return rv == SCARD_S_SUCCESS ? "ok" : describe(pcsc_error(rv, "connecting"));
  }

  std::string first_card() {
    const auto readers = readers_.list();
    if (!readers) return {};
    for (const Reader& reader : *readers) {
      if (reader.insertion != 0) return reader.name;
    }
    return {};
  }

  void hold() {
    int seconds = 0;
    std::cin >> seconds;
    {
      const auto transaction = begin();
      std::cout << (transaction ? "holding" : std::string(name(transaction.code()))) << std::endl;
      std::this_thread::sleep_for(std::chrono::seconds(seconds));
    }
    std::cout << "released" << std::endl;
  }

  Result<CardTransaction> begin() {
    channel_ = readers_.open(first_card());
    if (channel_ == nullptr) return Code::token_absent;
    return CardTransaction::begin(channel_);
  }

  static std::string content(ReaderContent content) {
    switch (content) {
      case ReaderContent::nothing:
        return "empty";
      case ReaderContent::card:
        return "card";
      case ReaderContent::mute_card:
        return "mute";
      case ReaderContent::unavailable:
        break;
    }
    return "unavailable";
  }

  std::atomic<int> events_{0};
  CardChannelPtr channel_;  // kept, so that its state is
  PcscReaders readers_;
};

}  // namespace

int main() {
  Probe().run();
  return EXIT_SUCCESS;
}
