// A private key that stays on its card.
#pragma once

#include "cards/card_token.h"
#include "crypto/asymmetric_key.h"

namespace cardea::card {

class CardKey final : public PrivateKey {
 public:
  /// `public_key` is the key's public half.
  CardKey(std::shared_ptr<CardToken> token, Container container, crypto::AsymmetricKeyPtr public_key)
      : token_(std::move(token)), container_(std::move(container)), public_key_(std::move(public_key)) {}

  std::size_t size() const noexcept override { return public_key_->size(); }
  Primitives primitives() const noexcept override { return container_.primitives; }
  std::size_t output_size(const PrimitiveRequest& request) const noexcept override;
  Result<std::size_t> perform(const PrimitiveRequest& request, ByteView input, MutableBytes out) const override;

 private:
  const std::shared_ptr<CardToken> token_;
  const Container container_;
  const crypto::AsymmetricKeyPtr public_key_;
};

}  // namespace cardea::card
