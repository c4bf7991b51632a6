#include "tpm/tpm_key.h"

#include "tpm/own_padding.h"

namespace cardea::tpm {

Primitives primitives_of(crypto::KeyAlgorithm algorithm, const RsaAbility& rsa) noexcept {
  if (algorithm == crypto::KeyAlgorithm::rsa) return rsa_primitives(rsa);
  // Our curves have the cofactor 1.
  return Primitive::ecdsa_sign | Primitive::ecdh | Primitive::ecdh_cofactor;
}

std::size_t TpmKey::output_size(const PrimitiveRequest& request) const noexcept {
  const bool agreement = request.primitive == Primitive::ecdh || request.primitive == Primitive::ecdh_cofactor;
  return agreement ? public_key_->facts().private_size : public_key_->output_size();
}

Result<std::size_t> TpmKey::perform(const PrimitiveRequest& request, ByteView input, MutableBytes out) const {
  if (!can(request.primitive)) return Code::mechanism_invalid;
  return token_->perform(*this, request, input, out);
}

}  // namespace cardea::tpm
