#include "tpm/tpm_key.h"

namespace cardea::tpm {

Primitives primitives_of(crypto::KeyAlgorithm algorithm) noexcept {
  // Raw RSA serves every padding: a TPM's own PSS has a salt of its own choice, its own PKCS #1 decryption tells
  // whether the padding was right, and its own signatures know few hashes.
  if (algorithm == crypto::KeyAlgorithm::rsa) return static_cast<Primitives>(Primitive::rsa_raw);
  // Our curves have the cofactor 1.
  return Primitive::ecdsa_sign | Primitive::ecdh | Primitive::ecdh_cofactor;
}

std::size_t TpmKey::output_size(const PrimitiveRequest& request) const noexcept {
  const bool agreement = request.primitive == Primitive::ecdh || request.primitive == Primitive::ecdh_cofactor;
  return agreement ? public_key_->facts().private_size : public_key_->output_size();
}

Result<std::size_t> TpmKey::perform(const PrimitiveRequest& request, ByteView input, MutableBytes out) const {
  if (!can(request.primitive)) return Code::mechanism_invalid;
  return token_->perform(id_, blob_, public_key_->algorithm(), request, input, out);
}

}  // namespace cardea::tpm
