// Virtual cards behind a pcscd of the test's own, as token kinds. The script with_pcscd.sh starts pcscd and tells by
// CARDEA_VCARD and CARDEA_READER_PORT which program and which port of vpcd serve.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "contract/p11.h"

namespace cardea::p11 {

/// A program that runs until the object goes.
class ChildProcess {
 public:
  explicit ChildProcess(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (posix_spawnp(&id_, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) id_ = 0;
    if (id_ == 0) throw std::runtime_error("cannot start " + words[0]);
  }
  ~ChildProcess() {
    if (id_ > 0) kill(id_, SIGTERM);
    wait();
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  /// Its exit status; it ends by itself.
  int wait() {
    if (id_ == 0) return status_;
    while (waitpid(id_, &status_, 0) < 0 && errno == EINTR) {
    }
    id_ = 0;
    return status_;
  }

 private:
  pid_t id_ = 0;
  int status_ = -1;
};

/// A fresh card for every token, in the first reader; in the second one where a case wants two. The administrator's key
/// is the factory's, and the configuration lends it to the user, so that who is logged in as user writes keys, as on a
/// keystore.
class CardKind : public TokenKind {
 public:
  CardKind(std::string kind, std::string so_pin, std::vector<std::string> create_options)
      : kind_(std::move(kind)), so_pin_(std::move(so_pin)), create_options_(std::move(create_options)) {
    const auto config = home_.path() / "cardea.toml";
    std::ofstream(config) << "[keystore]\nenabled = false\n[card]\nadmin_key = \"factory\"\n";
    setenv("CARDEA_HOME", home_.path().c_str(), 1);
    setenv("CARDEA_CONF", config.c_str(), 1);
    setenv("XDG_CACHE_HOME", home_.path().c_str(), 1);
  }
  std::string module_path() const override { return required("CARDEA_MODULE"); }
  std::string so_pin() const override { return so_pin_; }
  std::string user_pin() const override { return "123456"; }
  int retry_limit() const override { return 3; }
  int so_retry_limit() const override { return 0; }
  bool is_card() const override { return true; }
  bool write_protect() const override { return false; }

  CK_SLOT_ID make_token(const Module& module, const std::string&) override {
    pull();
    create(first_);
    insert();
    return slot_with_card(module);
  }
  /// In the second reader.
  CK_SLOT_ID make_other_token(const Module& module, const std::string&) override {
    const CK_SLOT_ID first = slot_with_card(module);
    create(second_);
    run(second_);
    return slot_with_card(module, first);
  }

  /// What the security officer logs in with to set the user PIN anew.
  virtual std::string unblocking_pin() const { return so_pin_; }
  /// Whether the card has Ed25519 and X25519.
  virtual bool has_25519() const = 0;
  /// Takes the card out of the reader, and puts the same one back.
  void pull() { first_.process.reset(); }
  void insert() { run(first_); }
  /// A command on the card's control socket: "reset", "fault pull@3" …
  void steer(std::initializer_list<std::string> words) const {
    std::vector<std::string> command{required("CARDEA_VCARD"), "control", control(first_)};
    command.insert(command.end(), words.begin(), words.end());
    if (ChildProcess(command).wait() != 0) throw std::runtime_error("the card does not obey");
  }
  /// The slot with a card, waited for; another one than `known`.
  static CK_SLOT_ID slot_with_card(const Module& module, std::optional<CK_SLOT_ID> known = std::nullopt) {
    for (int tries = 0; tries < 1200; ++tries) {
      for (const CK_SLOT_ID slot : module.slots()) {
        CK_TOKEN_INFO info{};
        if (slot != known && module->C_GetTokenInfo(slot, &info) == CKR_OK) return slot;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error("the card does not appear in a slot");
  }

 private:
  static std::string required(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
    return value;
  }
  /// A card and the reader it belongs in; vpcd has two, on neighbouring ports.
  struct Card {
    std::string name;
    int reader = 0;
    std::unique_ptr<ChildProcess> process = {};
  };
  std::string state(const Card& card) const { return (home_.path() / card.name).string(); }
  std::string control(const Card& card) const { return state(card) + ".control"; }
  void create(const Card& card) const {
    std::vector<std::string> words{
        required("CARDEA_VCARD"), "create", "--replace", "--kind", kind_, "--state", state(card)};
    words.insert(words.end(), create_options_.begin(), create_options_.end());
    if (ChildProcess(words).wait() != 0) throw std::runtime_error("cardea-vcard makes no card");
  }
  void run(Card& card) const {
    const int port = std::stoi(required("CARDEA_READER_PORT")) + card.reader;
    card.process = std::make_unique<ChildProcess>(std::vector<std::string>{required("CARDEA_VCARD"), "run", "--state",
                                                                           state(card), "--port", std::to_string(port),
                                                                           "--control", control(card)});
  }

  const std::string kind_;
  const std::string so_pin_;
  const std::vector<std::string> create_options_;
  TemporaryDirectory home_;
  Card first_{"first", 0};
  Card second_{"second", 1};
};

/// SP 800-73-4 with the vendor extensions of the virtual card.
class PivKind final : public CardKind {
 public:
  PivKind() : CardKind("piv", "010203040506070801020304050607080102030405060708", {"--management-key", "3des"}) {}
  bool officer_makes_keys() const override { return true; }
  /// 9A and 9D, which ask for the PIN once; 02 would be 9C, which asks for each signature.
  Bytes key_id(std::uint8_t number) const override { return {static_cast<std::uint8_t>(2 * number - 1)}; }
  /// The PUK does (docs/cards.md).
  bool officer_sets_user_pin() const override { return false; }
  std::string unblocking_pin() const override { return "12345678"; }
  bool has_25519() const override { return true; }
};

/// A generic minidriver card as it is after Windows' initialisation.
class GidsKind final : public CardKind {
 public:
  GidsKind() : CardKind("gids", "010203040506070801020304050607080102030405060708", {"--initialised"}) {}
  bool has_25519() const override { return false; }
};

}  // namespace cardea::p11
