// cardea-bench-cards: counts the commands that a PKCS#11 module sends to a virtual card. cards.sh makes a table of it.
//
//   cardea-bench-cards MODULE CONTROL_SOCKET sign ID MECHANISM    commands until the first signature, and for a further
//   cardea-bench-cards MODULE CONTROL_SOCKET list                 commands to list all objects
//
// Prints the numbers on one line. Each run is a process of its own, so what is cached is cached on disk.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "conformance/p11.h"

namespace {

using namespace cardea::p11;

constexpr std::string_view pin = "123456";

/// The card's counter, asked on its control socket: a line in, a line of JSON out.
class CommandCounter {
 public:
  explicit CommandCounter(const std::string& path) : descriptor_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the socket's path is too long");
    path.copy(address.sun_path, path.size());
    if (connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("no card serves " + path);
    }
  }
  ~CommandCounter() { close(descriptor_); }
  CommandCounter(const CommandCounter&) = delete;
  CommandCounter& operator=(const CommandCounter&) = delete;

  /// Commands since the last call.
  unsigned long since() {
    const unsigned long now = ask();
    return now - std::exchange(last_, now);
  }

 private:
  unsigned long ask() {
    constexpr std::string_view question = "count\n";
    if (write(descriptor_, question.data(), question.size()) != static_cast<ssize_t>(question.size())) {
      throw std::runtime_error("the card does not listen");
    }
    std::string line;
    for (char c = 0; read(descriptor_, &c, 1) == 1 && c != '\n';) line += c;
    constexpr std::string_view key = "\"apdus\":";
    const std::size_t place = line.find(key);
    if (place == std::string::npos) throw std::runtime_error("the card answers " + line);
    return std::stoul(line.substr(place + key.size()));
  }

  int descriptor_;
  unsigned long last_ = 0;
};

void require(CK_RV rv, const char* what) {
  if (rv == CKR_OK) return;
  char text[96];
  std::snprintf(text, sizeof text, "%s answered 0x%08lx", what, rv);
  throw std::runtime_error(text);
}

/// The first slot with an initialised token, found as applications do: by looking at each token's description.
CK_SLOT_ID card_slot(const Module& module) {
  for (const CK_SLOT_ID slot : module.slots()) {
    CK_TOKEN_INFO info{};
    if (module->C_GetTokenInfo(slot, &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) != 0) return slot;
  }
  throw std::runtime_error("no slot has a token");
}

void sign(const Module& module, CommandCounter& counter, const Bytes& id, CK_MECHANISM_TYPE type) {
  const Session session(module, card_slot(module), false);
  require(session.login(pin), "C_Login");
  const auto keys = session.find(Template().ulong(CKA_CLASS, CKO_PRIVATE_KEY).bytes(CKA_ID, id));
  if (keys.empty()) throw std::runtime_error("there is no private key with this CKA_ID");
  const Bytes digest(32, 0x42);
  require(session.sign(Mechanism(type), keys.front(), digest).rv, "the first signature");
  const unsigned long first = counter.since();
  require(session.sign(Mechanism(type), keys.front(), digest).rv, "a further signature");
  std::printf("%lu %lu\n", first, counter.since());
}

void list(const Module& module, CommandCounter& counter) {
  const Session session(module, card_slot(module), false);
  for (const CK_OBJECT_HANDLE object : session.find(Template())) {
    for (const CK_ATTRIBUTE_TYPE type : {CKA_CLASS, CKA_LABEL, CKA_ID}) session.get(object, type);
  }
  std::printf("%lu\n", counter.since());
}

int run(int argc, char** argv) {
  const std::string action = argc > 3 ? argv[3] : "";
  if (action != "list" && (action != "sign" || argc != 6)) {
    std::fprintf(stderr, "usage: %s MODULE CONTROL_SOCKET sign ID MECHANISM | list\n", argv[0]);
    return 2;
  }
  const Module module(argv[1]);
  CommandCounter counter(argv[2]);
  counter.since();
  require(module.initialize(), "C_Initialize");
  if (action == "list") {
    list(module, counter);
  } else {
    sign(module, counter, from_hex(argv[4]), std::strtoul(argv[5], nullptr, 0));
  }
  module->C_Finalize(nullptr);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
  }
}
