#include "crypto/check_value.h"

#include <array>

#include "crypto/cipher.h"
#include "crypto/library.h"
#include "crypto/openssl_ptr.h"

namespace cardea::crypto {

Result<Bytes> encrypted_zero_block(ByteView aes_key) {
  const EVP_CIPHER* const algorithm = cipher_algorithm(Cipher::aes_ecb, aes_key.size());
  if (algorithm == nullptr) return Code::key_size_range;
  const std::unique_ptr<EVP_CIPHER_CTX, Releaser<EVP_CIPHER_CTX_free>> context(EVP_CIPHER_CTX_new());
  constexpr std::array<Byte, 16> zeros{};
  Bytes block(zeros.size());
  int written = 0;
  if (context == nullptr || EVP_EncryptInit_ex2(context.get(), algorithm, aes_key.data(), nullptr, nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
      EVP_EncryptUpdate(context.get(), block.data(), &written, zeros.data(), zeros.size()) != 1) {
    return openssl_error(Code::internal);
  }
  return block;
}

}  // namespace cardea::crypto
