// A virtual smart card in a software TPM of the test's own, as a token kind. CARDEA_COMMAND names the program that
// makes cards.
#pragma once

#include "contract/card_kind.h"
#include "cryptoki/tpm_interface.h"
#include "swtpm/swtpm.h"
#include "swtpm/tpm_filter.h"

namespace cardea::p11 {

/// A fresh TPM for every object, a fresh card for every token.
class TpmKind final : public TokenKind {
 public:
  TpmKind() {
    std::ofstream(config()) << "[keystore]\nenabled = false\n[card]\nenabled = false\n";
    setenv("CARDEA_HOME", home_.path().c_str(), 1);
    setenv("CARDEA_CONF", config().c_str(), 1);
  }
  std::string module_path() const override { return required("CARDEA_MODULE"); }
  /// The administrator's key, which a lock-out does not stop.
  std::string so_pin() const override { return std::string(64, 'a'); }
  std::string user_pin() const override { return "123456"; }
  // The software TPM's own: it counts every wrong PIN, whoever's it is.
  int retry_limit() const override { return 3; }
  int so_retry_limit() const override { return 0; }
  /// As far as secret keys go, which it keeps as little as cards do, and how it is made new.
  bool is_card() const override { return true; }
  bool renames() const override { return true; }

  CK_SLOT_ID make_token(const Module& module, const std::string& label) override {
    if (!tpm_) {
      tpm_ = std::make_unique<tpm::Swtpm>();
      configure(module, tpm_->tcti());
    }
    create(module, label);
    return slot_of(module, label);
  }
  /// From now on the module reaches the TPM in that way, and with these lines more in the table [tpm].
  void configure(const Module& module, const std::string& tcti, const std::string& more = {}) const {
    std::ofstream(config()) << "[keystore]\nenabled = false\n[card]\nenabled = false\n[tpm]\ntcti = \"" << tcti
                            << "\"\n"
                            << more;
    // The module has read its settings already.
    if (module->C_Finalize(nullptr) != CKR_OK || module.initialize() != CKR_OK) {
      throw std::runtime_error("the module does not start again");
    }
  }
  /// One more card, in the same TPM behind a filter that refuses raw RSA.
  CK_SLOT_ID make_card_without_raw_rsa(const Module& module, const std::string& label) {
    filter_ = std::make_unique<tpm::RawRsaFilter>(*tpm_);
    configure(module, filter_->tcti());
    create(module, label);
    return slot_of(module, label);
  }
  bool write_protect() const override {
    const char* const home = home_.path().c_str();
    return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount(home, home, nullptr, MS_BIND, nullptr) == 0 &&
           mount(nullptr, home, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }

  static std::string puk() { return "87654321"; }
  tpm::Swtpm& tpm() const { return *tpm_; }
  const tpm::RawRsaFilter& filter() const { return *filter_; }
  const std::filesystem::path& home() const { return home_.path(); }
  static CK_SLOT_ID slot_of(const Module& module, const std::string& label) {
    for (const CK_SLOT_ID slot : module.slots()) {
      CK_TOKEN_INFO info{};
      if (module->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
      if (std::string_view(reinterpret_cast<const char*>(info.label), label.size()) == label) return slot;
    }
    throw std::runtime_error("the virtual card has no slot");
  }

 private:
  static std::string required(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
    return value;
  }
  std::filesystem::path config() const { return home_.path() / "cardea.toml"; }
  void create(const Module& module, const std::string& label) const {
    const auto get = module.symbol<decltype(&::C_GetInterface)>("C_GetInterface");
    CK_UTF8CHAR name[] = CARDEA_TPM_INTERFACE;
    CK_INTERFACE* found = nullptr;
    if (get(name, nullptr, &found, 0) != CKR_OK) throw std::runtime_error("the module has no virtual cards");
    const auto& functions = *static_cast<const CARDEA_TPM_FUNCTIONS*>(found->pFunctionList);
    const Bytes user = bytes_of(user_pin()), unblocking = bytes_of(puk()), key(32, 0xaa);
    const CARDEA_PIN pins[] = {
        {user.data(), user.size()}, {unblocking.data(), unblocking.size()}, {key.data(), key.size()}};
    const CK_RV rv = functions.create(
        label.c_str(), &pins[0], &pins[1], &pins[2], [](void*, const char*) {}, nullptr, nullptr);
    if (rv != CKR_OK) throw std::runtime_error("no virtual card can be made");
  }

  TemporaryDirectory home_;
  std::unique_ptr<tpm::Swtpm> tpm_;
  std::unique_ptr<tpm::RawRsaFilter> filter_;
};

}  // namespace cardea::p11
