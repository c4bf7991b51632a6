// Virtual cards behind a pcscd of the test's own, as token kinds. The script with_pcscd.sh starts pcscd and tells by
// CARDEA_VCARD and CARDEA_READER_PORT which program and which port of vpcd serve.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
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

/// A fresh card for every token, in the first reader. The administrator's key is the factory's, and the configuration
/// lends it to the user, so that who is logged in as user writes keys, as on a keystore.
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
    std::vector<std::string> create{
        required("CARDEA_VCARD"), "create", "--replace", "--kind", kind_, "--state", state()};
    create.insert(create.end(), create_options_.begin(), create_options_.end());
    if (ChildProcess(create).wait() != 0) throw std::runtime_error("cardea-vcard makes no card");
    insert();
    return slot_with_card(module);
  }

  /// Whether the administrator makes keys; elsewhere the user PIN is what that takes.
  virtual bool officer_makes_keys() const = 0;
  /// Whether the card has Ed25519 and X25519.
  virtual bool has_25519() const = 0;
  /// Takes the card out of the reader, and puts the same one back.
  void pull() { card_.reset(); }
  void insert() {
    card_ = std::make_unique<ChildProcess>(std::vector<std::string>{required("CARDEA_VCARD"), "run", "--state", state(),
                                                                    "--port", required("CARDEA_READER_PORT"),
                                                                    "--control", control()});
  }
  /// A command on the card's control socket: "reset", "fault pull@3" …
  void steer(std::initializer_list<std::string> words) const {
    std::vector<std::string> command{required("CARDEA_VCARD"), "control", control()};
    command.insert(command.end(), words.begin(), words.end());
    if (ChildProcess(command).wait() != 0) throw std::runtime_error("the card does not obey");
  }
  /// The slot with a card, waited for.
  static CK_SLOT_ID slot_with_card(const Module& module) {
    for (int tries = 0; tries < 400; ++tries) {
      for (const CK_SLOT_ID slot : module.slots()) {
        CK_TOKEN_INFO info{};
        if (module->C_GetTokenInfo(slot, &info) == CKR_OK) return slot;
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
  std::string state() const { return (home_.path() / "card").string(); }
  std::string control() const { return (home_.path() / "control").string(); }

  const std::string kind_;
  const std::string so_pin_;
  const std::vector<std::string> create_options_;
  TemporaryDirectory home_;
  std::unique_ptr<ChildProcess> card_;
};

/// SP 800-73-4 with the vendor extensions of the virtual card.
class PivKind final : public CardKind {
 public:
  PivKind() : CardKind("piv", "010203040506070801020304050607080102030405060708", {"--management-key", "3des"}) {}
  bool officer_makes_keys() const override { return true; }
  bool has_25519() const override { return true; }
};

/// A generic minidriver card as it is after Windows' initialisation.
class GidsKind final : public CardKind {
 public:
  GidsKind() : CardKind("gids", "010203040506070801020304050607080102030405060708", {"--initialised"}) {}
  bool officer_makes_keys() const override { return false; }
  bool has_25519() const override { return false; }
};

}  // namespace cardea::p11
