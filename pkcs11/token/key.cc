#include "token/key.h"

#include "crypto/asymmetric_key.h"

namespace cardea {

std::size_t PublicKey::size() const noexcept {
  return key_->size();
}

std::size_t SoftPrivateKey::size() const noexcept {
  return key_->size();
}

Primitives SoftPrivateKey::primitives() const noexcept {
  using crypto::KeyFamily;
  constexpr auto only = [](Primitive primitive) { return static_cast<Primitives>(primitive); };
  switch (key_->facts().family) {
    case KeyFamily::rsa:
      return Primitive::rsa_raw | Primitive::rsa_pkcs1_sign | Primitive::rsa_pss_sign |
             only(Primitive::rsa_pkcs1_decrypt) | only(Primitive::rsa_oaep_decrypt);
    case KeyFamily::ec:
      return Primitive::ecdsa_sign | Primitive::ecdh | only(Primitive::ecdh_cofactor);
    case KeyFamily::edwards:
      return only(Primitive::eddsa_sign);
    case KeyFamily::montgomery:
      return Primitive::ecdh | Primitive::ecdh_cofactor;
    case KeyFamily::ml_dsa:
      return only(Primitive::ml_dsa_sign);
    case KeyFamily::slh_dsa:
      return only(Primitive::slh_dsa_sign);
    case KeyFamily::ml_kem:
      break;
  }
  return only(Primitive::ml_kem_decapsulate);
}

std::size_t SoftPrivateKey::output_size(const PrimitiveRequest& request) const noexcept {
  switch (request.primitive) {
    case Primitive::ecdh:
    case Primitive::ecdh_cofactor:
      return key_->facts().private_size;  // a coordinate is as long as the scalar on all our curves
    case Primitive::ml_kem_decapsulate:
      return 32;  // FIPS 203, table 3
    default:
      return key_->output_size();
  }
}

Result<std::size_t> SoftPrivateKey::perform(const PrimitiveRequest& request, ByteView input, MutableBytes out) const {
  if (!can(request.primitive)) return Code::mechanism_invalid;
  const crypto::MessageScheme scheme{.context = request.context,
                                     .prehash = request.prehash,
                                     .with_context = !request.context.empty(),
                                     .deterministic = request.deterministic,
                                     .hash = request.hash};
  switch (request.primitive) {
    case Primitive::rsa_raw:
      return key_->rsa_private_raw(input, out);
    case Primitive::rsa_pkcs1_sign:
      return key_->sign_pkcs1(input, out);
    case Primitive::rsa_pss_sign:
      return key_->sign_pss(request.hash, request.mgf_hash, request.salt_length, input, out);
    case Primitive::rsa_pkcs1_decrypt:
      return key_->decrypt_pkcs1(input, out);
    case Primitive::rsa_oaep_decrypt:
      return key_->decrypt_oaep(request.hash, request.mgf_hash, request.label, input, out);
    case Primitive::ecdsa_sign:
      return key_->ecdsa_sign(input, out);
    case Primitive::ecdh:
    case Primitive::ecdh_cofactor:
      return key_->derive(input, out);
    case Primitive::eddsa_sign:
    case Primitive::ml_dsa_sign:
    case Primitive::slh_dsa_sign:
      return key_->sign_message(scheme, input, out);
    case Primitive::ml_kem_decapsulate:
      break;
  }
  return key_->decapsulate(input, out);
}

}  // namespace cardea
