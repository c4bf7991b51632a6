// CMAC (SP 800-38B) and GMAC (SP 800-38D, 3).
#include "mechanism/aes.h"
#include "mechanism/aes_aead.h"
#include "mechanism/hmac.h"

namespace cardea {
namespace {

class AesCmac final : public Mechanism {
 public:
  explicit AesCmac(bool general)
      : Mechanism(general ? CKM_AES_CMAC_GENERAL : CKM_AES_CMAC, aes_info(CKF_SIGN | CKF_VERIFY)), general_(general) {}

  Result<SignPtr> sign(const KeyRef& ref, Parameter parameter) const override {
    CARDEA_ASSIGN(const std::size_t size, mac_size(parameter));
    CARDEA_ASSIGN(const SecretKey* const key, aes_key(ref));
    CARDEA_ASSIGN(crypto::MacContext context, key->key().aes_cmac());
    return sign_with_mac(std::move(context), size);
  }
  Result<VerifyPtr> verify(const KeyRef& ref, Parameter parameter) const override {
    CARDEA_ASSIGN(SignPtr signing, sign(ref, parameter));
    return verify_by_signing(std::move(signing));
  }

 private:
  Result<std::size_t> mac_size(Parameter parameter) const {
    if (general_) return general_mac_size(parameter, aes_block_size);
    CARDEA_TRY(parameter.expect_none());
    return aes_block_size;
  }

  bool general_;
};

/// GMAC is GCM with associated data only: the data to sign is fed as such.
class GmacSigning final : public SignOperation {
 public:
  GmacSigning(crypto::CipherContext context, std::size_t size) : context_(std::move(context)), size_(size) {}

  std::size_t size() const noexcept override { return size_; }
  Result<std::size_t> single(ByteView data, MutableBytes signature) override {
    CARDEA_TRY(update(data));
    return finish(signature);
  }
  Status update(ByteView data) override { return context_.associated_data(data); }
  Result<std::size_t> finish(MutableBytes signature) override {
    CARDEA_TRY(context_.finish({}, Code::internal));
    CARDEA_TRY(context_.tag(signature.first(size_)));
    return size_;
  }

 private:
  crypto::CipherContext context_;
  std::size_t size_;
};

class AesGmac final : public Mechanism {
 public:
  AesGmac() : Mechanism(CKM_AES_GMAC, aes_info(CKF_SIGN | CKF_VERIFY)) {}

  // No message-based signing: its messages would share one IV, and two of them give the authentication key away
  // (SP 800-38D, 8).
  Result<KeptParameter> keep(Parameter) const override { return Code::mechanism_invalid; }

  Result<SignPtr> sign(const KeyRef& ref, Parameter parameter) const override {
    CARDEA_ASSIGN(const AeadMessage message, parse_gcm_parameter(parameter));
    // The data to authenticate comes with C_Sign; a second source of it would be silently left out.
    if (!message.associated_data.empty()) return Code::mechanism_param_invalid;
    CARDEA_ASSIGN(const SecretKey* const key, aes_key(ref));
    CARDEA_ASSIGN(crypto::CipherContext context,
                  key->key().cipher(crypto::Cipher::aes_gcm, crypto::Direction::encrypt));
    CARDEA_TRY(context.start(message.nonce));
    return SignPtr(std::make_unique<GmacSigning>(std::move(context), message.tag_size));
  }
  Result<VerifyPtr> verify(const KeyRef& ref, Parameter parameter) const override {
    CARDEA_ASSIGN(SignPtr signing, sign(ref, parameter));
    return verify_by_signing(std::move(signing));
  }
};

}  // namespace

void register_aes_mac(MechanismRegistry& registry) {
  registry.emplace<AesCmac>(false);
  registry.emplace<AesCmac>(true);
  registry.emplace<AesGmac>();
}

}  // namespace cardea
