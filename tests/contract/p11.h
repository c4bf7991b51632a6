// A token of one kind, made fresh for a test, and the module that serves it. Header only; link cardea_contract_kit.
#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "conformance/p11.h"

namespace cardea::p11 {

/// A directory of its own under the system's temporary folder, removed at the end of its life.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cardea-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// What a token kind must offer so that the contract suite can run on it.
class TokenKind {
 public:
  virtual ~TokenKind() = default;
  virtual std::string module_path() const = 0;
  virtual std::string so_pin() const = 0;
  virtual std::string user_pin() const = 0;
  /// Wrong user PINs in a row before the PIN locks; 0: it never does.
  virtual int retry_limit() const = 0;
  /// The same for the security officer's PIN.
  virtual int so_retry_limit() const = 0;
  /// Whether the token is a card: it keeps keys with certificates and the files of its kind, no secret keys and no
  /// objects of any name; it is made new by its administrator, not by C_InitToken.
  virtual bool is_card() const { return false; }
  /// Whether labels and ids are the caller's to change.
  virtual bool renames() const { return !is_card(); }
  /// Whether a private key may be there twice.
  bool copies_keys() const { return !is_card(); }
  /// Whether the security officer makes keys, and so sees private objects.
  virtual bool officer_makes_keys() const { return false; }
  /// The CKA_ID under which a key of the user's may be made: 1 or 2 for the first or the second one.
  virtual Bytes key_id(std::uint8_t number) const { return {number}; }
  /// Whether C_InitPIN sets the user PIN.
  virtual bool officer_sets_user_pin() const { return true; }
  /// Makes an initialised token with both PINs set; the slot that holds it. The module is initialised.
  virtual CK_SLOT_ID make_token(const Module& module, const std::string& label) = 0;
  /// One more beside it, with the same PINs.
  virtual CK_SLOT_ID make_other_token(const Module& module, const std::string& label) {
    return make_token(module, label);
  }
  /// Protects all tokens from being written by this process and those it starts, for the rest of their lives. False
  /// where the kind, or this machine, has no such protection. Called in a child process with the module not
  /// initialised.
  virtual bool write_protect() const = 0;
};

/// The software keystore, in a home of its own. Sets CARDEA_HOME and CARDEA_CONF of this process.
class KeystoreKind : public TokenKind {
 public:
  KeystoreKind() {
    const auto config = home_.path() / "cardea.toml";
    // A cheap derivation: the contract is about behaviour, and a suite logs in hundreds of times.
    std::ofstream(config) << "[keystore]\nretry_limit = 3\nso_retry_limit = 5\n"
                             "pin_cost = { memory_kib = 256, iterations = 1, lanes = 1 }\n";
    setenv("CARDEA_HOME", home_.path().c_str(), 1);
    setenv("CARDEA_CONF", config.c_str(), 1);
  }
  std::string module_path() const override {
    const char* path = std::getenv("CARDEA_MODULE");
    if (path == nullptr) throw std::runtime_error("CARDEA_MODULE does not name the module");
    return path;
  }
  std::string so_pin() const override { return "87654321"; }
  std::string user_pin() const override { return "123456"; }
  int retry_limit() const override { return 3; }
  int so_retry_limit() const override { return 5; }

  CK_SLOT_ID make_token(const Module& module, const std::string& label) override {
    std::string padded = label;
    padded.resize(32, ' ');
    const CK_SLOT_ID slot = uninitialised_slot(module);
    Bytes so = bytes_of(so_pin()), user = bytes_of(user_pin()), name = bytes_of(padded);
    check(module->C_InitToken(slot, so.data(), so.size(), name.data()), "C_InitToken");
    const CK_SLOT_ID made = slot_of(module, padded);
    Session session(module, made);
    check(session.login(so_pin(), CKU_SO), "C_Login as security officer");
    check(module->C_InitPIN(session, user.data(), user.size()), "C_InitPIN");
    check(session.logout(), "C_Logout");
    return made;
  }
  /// A read-only mount of the home, seen by this process alone: file modes do not bind the superuser.
  bool write_protect() const override {
    const char* const home = home_.path().c_str();
    return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount(home, home, nullptr, MS_BIND, nullptr) == 0 &&
           mount(nullptr, home, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }
  const std::filesystem::path& home() const { return home_.path(); }

 private:
  static void check(CK_RV rv, const char* what) {
    if (rv == CKR_OK) return;
    char text[96];
    std::snprintf(text, sizeof(text), "%s answered 0x%08lx", what, rv);
    throw std::runtime_error(text);
  }
  static CK_SLOT_ID uninitialised_slot(const Module& module) {
    for (const CK_SLOT_ID slot : module.slots()) {
      CK_TOKEN_INFO info{};
      if (module->C_GetTokenInfo(slot, &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) == 0) return slot;
    }
    throw std::runtime_error("no uninitialised slot is offered");
  }
  static CK_SLOT_ID slot_of(const Module& module, const std::string& label) {
    for (const CK_SLOT_ID slot : module.slots()) {
      CK_TOKEN_INFO info{};
      if (module->C_GetTokenInfo(slot, &info) != CKR_OK || (info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
      if (std::memcmp(info.label, label.data(), sizeof(info.label)) == 0) return slot;
    }
    throw std::runtime_error("the new token has no slot");
  }

  TemporaryDirectory home_;
};

}  // namespace cardea::p11
