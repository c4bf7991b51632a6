#include "cardmodules/padding_replacement.h"

#include <algorithm>

#include "base/secret.h"
#include "crypto/random.h"

namespace cardea::card {

Status PaddingReplacement::prepare() {
  if (rejection_.ready()) return {};
  SecretBytes secret(32);
  CARDEA_TRY(crypto::random_bytes(secret.mutable_view()));
  CARDEA_ASSIGN(rejection_, crypto::ImplicitRejection::make(secret.view()));
  return {};
}

Result<std::size_t> PaddingReplacement::message(ByteView ciphertext, ByteView key_identity, MutableBytes out) const {
  if (ciphertext.size() < crypto::pkcs1_overhead) return Code::encrypted_data_length;
  const std::size_t longest = ciphertext.size() - crypto::pkcs1_overhead;
  if (out.size() < longest) return Code::encrypted_data_length;
  // A block of zeros is padded wrongly for certain.
  SecretBytes block(ciphertext.size());
  std::fill_n(block.data(), block.size(), Byte{0});
  return rejection_.unpad(ciphertext, block.mutable_view(), out.first(longest), key_identity);
}

}  // namespace cardea::card
