#include "mechanism/hmac.h"

#include <algorithm>
#include <array>

#include "mechanism/digest.h"
#include "mechanism/generic_secret.h"

namespace cardea {
namespace {

constexpr std::size_t longest_mac = 64;

class MacSigning final : public SignOperation {
 public:
  MacSigning(crypto::MacContext context, std::size_t size) : context_(std::move(context)), size_(size) {}

  std::size_t size() const noexcept override { return size_; }
  Result<std::size_t> single(ByteView data, MutableBytes signature) override {
    CARDEA_TRY(context_.update(data));
    return finish(signature);
  }
  Status update(ByteView data) override { return context_.update(data); }
  Result<std::size_t> finish(MutableBytes signature) override {
    std::array<Byte, longest_mac> whole;
    CARDEA_TRY(context_.finish(whole));
    std::copy_n(whole.begin(), size_, signature.begin());
    wipe(whole);
    return size_;
  }

 private:
  crypto::MacContext context_;
  std::size_t size_;
};

class MacVerification final : public VerifyOperation {
 public:
  explicit MacVerification(SignPtr signing) : signing_(std::move(signing)) {}

  Status single(ByteView data, ByteView signature) override {
    CARDEA_TRY(signing_->update(data));
    return finish(signature);
  }
  Status update(ByteView data) override { return signing_->update(data); }
  Status finish(ByteView signature) override {
    if (signature.size() != signing_->size()) return Code::signature_length;
    std::array<Byte, longest_mac> expected;
    CARDEA_ASSIGN(const std::size_t size, signing_->finish(expected));
    const bool same = equal_in_constant_time(ByteView(expected).first(size), signature);
    wipe(expected);
    if (!same) return Code::signature_invalid;
    return {};
  }

 private:
  SignPtr signing_;
};

class HmacMechanism final : public Mechanism {
 public:
  HmacMechanism(const HashMechanisms& hash, bool general)
      : Mechanism(general ? hash.hmac_general : hash.hmac, {1, longest_secret, CKF_SIGN | CKF_VERIFY}),
        hash_(hash),
        general_(general) {}

  Result<SignPtr> sign(const KeyRef& key, Parameter parameter) const override {
    CARDEA_ASSIGN(const std::size_t size, mac_size(parameter));
    CARDEA_ASSIGN(crypto::MacContext context, start(key));
    return sign_with_mac(std::move(context), size);
  }
  Result<VerifyPtr> verify(const KeyRef& key, Parameter parameter) const override {
    CARDEA_ASSIGN(SignPtr signing, sign(key, parameter));
    return verify_by_signing(std::move(signing));
  }

 private:
  Result<std::size_t> mac_size(Parameter parameter) const {
    const std::size_t full = crypto::hash_size(hash_.hash);
    if (general_) return general_mac_size(parameter, full);
    CARDEA_TRY(parameter.expect_none());
    return full;
  }
  Result<crypto::MacContext> start(const KeyRef& ref) const {
    CARDEA_ASSIGN(const SecretKey* const key, secret_key(ref, {CKK_GENERIC_SECRET, hash_.key_type}));
    return key->key().hmac(hash_.hash);
  }

  const HashMechanisms& hash_;
  bool general_;
};

}  // namespace

SignPtr sign_with_mac(crypto::MacContext context, std::size_t size) {
  return std::make_unique<MacSigning>(std::move(context), size);
}

VerifyPtr verify_by_signing(SignPtr signing) {
  return std::make_unique<MacVerification>(std::move(signing));
}

Result<std::size_t> general_mac_size(Parameter parameter, std::size_t full) {
  CARDEA_ASSIGN(const CK_MAC_GENERAL_PARAMS* const size, parameter.as<CK_MAC_GENERAL_PARAMS>());
  if (*size == 0 || *size > full) return Code::mechanism_param_invalid;
  return *size;
}

void register_hmac(MechanismRegistry& registry) {
  for (const HashMechanisms& one : hash_mechanisms()) {
    if (crypto::hash_name(one.hash) == nullptr) continue;
    registry.emplace<HmacMechanism>(one, false);
    registry.emplace<HmacMechanism>(one, true);
    registry.emplace<RandomKeyGeneration>(
        one.key_gen, one.key_type, RandomKeyGeneration::Sizes{1, longest_secret, 1, crypto::hash_size(one.hash)});
  }
}

}  // namespace cardea
