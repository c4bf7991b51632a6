#include "mechanism/rsa_private.h"

#include <algorithm>

#include "base/process_root.h"
#include "crypto/random.h"
#include "crypto/rsa_pkcs1.h"
#include "mechanism/rsa_padding.h"

namespace cardea {
namespace {

bool any_of(Primitives primitives, Primitives wanted) noexcept {
  return (primitives & wanted) != 0;
}

// A token's private exponent is out of reach, so the messages that replace wrongly padded ones come from a secret of
// this process. Asking one process again gives the same answer, which is what an attacker would try.
struct ProcessRejection {
  Result<crypto::ImplicitRejection> rejection = Code::internal;
  ProcessRejection() {
    constexpr std::size_t secret_size = 32;
    SecretBytes secret(secret_size);
    if (const Status filled = crypto::random_bytes(secret.mutable_view()); !filled) return;
    rejection = crypto::ImplicitRejection::make(secret.view());
  }
};

Result<std::size_t> raw_block(const PrivateKey& key, ByteView block, MutableBytes out) {
  return key.perform({.primitive = Primitive::rsa_raw}, block, out);
}

}  // namespace

std::size_t modulus_size(const Key& key) noexcept {
  return (key.size() + 7) / 8;
}

bool can_sign_pkcs1(Primitives primitives) noexcept {
  return any_of(primitives, Primitive::rsa_raw | Primitive::rsa_pkcs1_sign);
}

bool can_sign_pss(Primitives primitives) noexcept {
  return any_of(primitives, Primitive::rsa_raw | Primitive::rsa_pss_sign);
}

bool can_decrypt_pkcs1(Primitives primitives) noexcept {
  return any_of(primitives, Primitive::rsa_raw | Primitive::rsa_pkcs1_decrypt);
}

bool can_decrypt_oaep(Primitives primitives) noexcept {
  return any_of(primitives, Primitive::rsa_raw | Primitive::rsa_oaep_decrypt);
}

Result<std::size_t> rsa_raw(const PrivateKey& key, ByteView input, MutableBytes out) {
  const std::size_t size = modulus_size(key);
  if (input.size() > size) return Code::data_length;
  if (input.size() == size) return raw_block(key, input, out);
  SecretBytes block(size);
  std::copy(input.begin(), input.end(), block.data() + (size - input.size()));
  return raw_block(key, block.view(), out);
}

Result<std::size_t> rsa_sign_pkcs1(const PrivateKey& key, ByteView data, MutableBytes out) {
  if (data.size() + crypto::pkcs1_overhead > modulus_size(key)) return Code::data_length;
  if (key.can(Primitive::rsa_pkcs1_sign)) return key.perform({.primitive = Primitive::rsa_pkcs1_sign}, data, out);
  Bytes block(modulus_size(key));
  CARDEA_TRY(pad_pkcs1_signature(data, block));
  return raw_block(key, block, out);
}

Result<std::size_t> rsa_sign_pss(const PrivateKey& key, const PssParameters& parameters, ByteView digest,
                                 MutableBytes out) {
  if (digest.size() != crypto::hash_size(parameters.hash)) return Code::data_length;
  if (key.can(Primitive::rsa_pss_sign)) {
    const PrimitiveRequest request{.primitive = Primitive::rsa_pss_sign,
                                   .hash = parameters.hash,
                                   .mgf_hash = parameters.mgf_hash,
                                   .salt_length = parameters.salt_length};
    return key.perform(request, digest, out);
  }
  Bytes block(modulus_size(key));
  CARDEA_TRY(pad_pss(parameters.hash, parameters.mgf_hash, parameters.salt_length, key.size(), digest, block));
  return raw_block(key, block, out);
}

Result<std::size_t> rsa_decrypt_pkcs1(const PrivateKey& key, ByteView modulus, ByteView ciphertext, MutableBytes out) {
  if (ciphertext.size() != modulus_size(key)) return Code::encrypted_data_length;
  if (key.can(Primitive::rsa_pkcs1_decrypt))
    return key.perform({.primitive = Primitive::rsa_pkcs1_decrypt}, ciphertext, out);
  const auto& rejection = process_singleton<ProcessRejection>(Root::pkcs1_rejection).rejection;
  if (!rejection) return rejection.error();
  SecretBytes block(ciphertext.size());
  CARDEA_TRY(raw_block(key, ciphertext, block.mutable_view()));
  return rejection->unpad(ciphertext, block.mutable_view(), out, modulus);
}

Result<std::size_t> rsa_decrypt_oaep(const PrivateKey& key, const OaepParameters& parameters, ByteView ciphertext,
                                     MutableBytes out) {
  if (ciphertext.size() != modulus_size(key)) return Code::encrypted_data_length;
  if (key.can(Primitive::rsa_oaep_decrypt)) {
    const PrimitiveRequest request{.primitive = Primitive::rsa_oaep_decrypt,
                                   .hash = parameters.hash,
                                   .mgf_hash = parameters.mgf_hash,
                                   .label = parameters.label};
    return key.perform(request, ciphertext, out);
  }
  SecretBytes block(ciphertext.size());
  CARDEA_TRY(raw_block(key, ciphertext, block.mutable_view()));
  return unpad_oaep(parameters.hash, parameters.mgf_hash, parameters.label, block.mutable_view(), out);
}

}  // namespace cardea
