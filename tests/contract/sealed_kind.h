// A software keystore token that is sealed to a software TPM of the test's own, as a token kind.
#pragma once

#include "contract/p11.h"
#include "cryptoki/seal_interface.h"
#include "swtpm/swtpm.h"

namespace cardea::p11 {

/// Behaves as a keystore that is not sealed.
class SealedKind final : public KeystoreKind {
 public:
  CK_SLOT_ID make_token(const Module& module, const std::string& label) override {
    if (!tpm_) {
      tpm_ = std::make_unique<tpm::Swtpm>();
      std::ofstream(home() / "cardea.toml", std::ios::app) << "[tpm]\ntcti = \"" << tpm_->tcti() << "\"\n";
      // The module has read its settings already.
      if (module->C_Finalize(nullptr) != CKR_OK || module.initialize() != CKR_OK) {
        throw std::runtime_error("the module does not start again");
      }
    }
    const CK_SLOT_ID slot = KeystoreKind::make_token(module, label);
    seal(module, slot);
    return slot;
  }

 private:
  void seal(const Module& module, CK_SLOT_ID slot) const {
    CK_TOKEN_INFO info{};
    CK_UTF8CHAR name[] = CARDEA_SEAL_INTERFACE;
    CK_INTERFACE* found = nullptr;
    const auto get = module.symbol<decltype(&::C_GetInterface)>("C_GetInterface");
    if (module->C_GetTokenInfo(slot, &info) != CKR_OK || get(name, nullptr, &found, 0) != CKR_OK) {
      throw std::runtime_error("the module seals no tokens");
    }
    const auto& functions = *static_cast<const CARDEA_SEAL_FUNCTIONS*>(found->pFunctionList);
    const std::string serial(reinterpret_cast<const char*>(info.serialNumber), sizeof(info.serialNumber));
    const Bytes user = bytes_of(user_pin());
    const CARDEA_PIN pin{user.data(), user.size()};
    const CK_RV rv = functions.seal(
        serial.c_str(), CKU_USER, &pin, [](void*, const CK_UTF8CHAR*, CK_ULONG) {}, nullptr, nullptr);
    if (rv != CKR_OK) throw std::runtime_error("the token is not sealed");
  }

  std::unique_ptr<tpm::Swtpm> tpm_;
};

}  // namespace cardea::p11
