// A private key that never leaves the TPM.
#pragma once

#include "crypto/asymmetric_key.h"
#include "tpm/tpm_token.h"

namespace cardea::tpm {

/// What a key of that algorithm can do in a TPM with those RSA keys.
Primitives primitives_of(crypto::KeyAlgorithm algorithm, const RsaAbility& rsa) noexcept;

class TpmKey final : public PrivateKey {
 public:
  /// `public_key` is the key's public half.
  TpmKey(std::shared_ptr<TpmToken> token, ObjectId id, Blob blob, crypto::AsymmetricKeyPtr public_key, RsaAbility rsa)
      : token_(std::move(token)),
        id_(id),
        blob_(std::move(blob)),
        public_key_(std::move(public_key)),
        rsa_(rsa),
        primitives_(primitives_of(public_key_->algorithm(), rsa)) {}

  std::size_t size() const noexcept override { return public_key_->size(); }
  Primitives primitives() const noexcept override { return primitives_; }
  std::size_t output_size(const PrimitiveRequest& request) const noexcept override;
  Result<std::size_t> perform(const PrimitiveRequest& request, ByteView input, MutableBytes out) const override;

  ObjectId id() const noexcept { return id_; }
  const Blob& blob() const noexcept { return blob_; }
  const RsaAbility& rsa() const noexcept { return rsa_; }
  crypto::KeyAlgorithm algorithm() const noexcept { return public_key_->algorithm(); }

 private:
  const std::shared_ptr<TpmToken> token_;
  const ObjectId id_;
  const Blob blob_;
  const crypto::AsymmetricKeyPtr public_key_;
  const RsaAbility rsa_;
  const Primitives primitives_;
};

}  // namespace cardea::tpm
