#include "crypto/symmetric_key.h"
#include "token/key.h"

namespace cardea {

SecretKey::SecretKey(CK_KEY_TYPE type, SecretBytes value)
    : type_(type), key_(crypto::SymmetricKey::make(std::move(value))) {}

SecretKey::~SecretKey() = default;

ByteView SecretKey::value() const noexcept {
  return key_->value();
}

}  // namespace cardea
