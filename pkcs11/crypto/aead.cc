#include "crypto/aead.h"

#include <openssl/evp.h>

#include <climits>
#include <memory>

#include "crypto/cipher.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

Result<ContextPtr> start(Direction direction, ByteView key, ByteView nonce, ByteView associated_data,
                         std::size_t input_size) {
  if (key.size() != aead_key_size || nonce.size() != aead_nonce_size || associated_data.size() > INT_MAX ||
      input_size > INT_MAX) {
    return Code::arguments_bad;
  }
  ContextPtr context(EVP_CIPHER_CTX_new());
  if (context == nullptr) return Code::host_memory;
  int ignored = 0;
  if (EVP_CipherInit_ex2(context.get(), cipher_algorithm(Cipher::aes_gcm, aead_key_size), key.data(), nonce.data(),
                         direction == Direction::encrypt ? 1 : 0, nullptr) != 1 ||
      (!associated_data.empty() && EVP_CipherUpdate(context.get(), nullptr, &ignored, associated_data.data(),
                                                    static_cast<int>(associated_data.size())) != 1)) {
    return openssl_error(Code::internal);
  }
  return context;
}

}  // namespace

Result<Bytes> aead_seal(ByteView key, ByteView nonce, ByteView associated_data, ByteView plaintext) {
  CARDEA_ASSIGN(const ContextPtr context, start(Direction::encrypt, key, nonce, associated_data, plaintext.size()));
  Bytes sealed(plaintext.size() + aead_tag_size);
  Byte* const tag = sealed.data() + plaintext.size();
  int written = 0;
  if ((!plaintext.empty() && EVP_EncryptUpdate(context.get(), sealed.data(), &written, plaintext.data(),
                                               static_cast<int>(plaintext.size())) != 1) ||
      EVP_EncryptFinal_ex(context.get(), tag, &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, aead_tag_size, tag) != 1) {
    return openssl_error(Code::internal);
  }
  return sealed;
}

Result<SecretBytes> aead_open(ByteView key, ByteView nonce, ByteView associated_data, ByteView sealed) {
  if (sealed.size() < aead_tag_size) return Code::aead_decrypt_failed;
  const ByteView ciphertext = sealed.first(sealed.size() - aead_tag_size);
  Bytes tag = to_bytes(sealed.last(aead_tag_size));
  CARDEA_ASSIGN(const ContextPtr context, start(Direction::decrypt, key, nonce, associated_data, ciphertext.size()));
  SecretBytes plaintext(ciphertext.size());
  int written = 0;
  if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, aead_tag_size, tag.data()) != 1 ||
      (!ciphertext.empty() && EVP_DecryptUpdate(context.get(), plaintext.data(), &written, ciphertext.data(),
                                                static_cast<int>(ciphertext.size())) != 1)) {
    return openssl_error(Code::internal);
  }
  Byte nothing[aead_tag_size];
  if (EVP_DecryptFinal_ex(context.get(), nothing, &written) != 1) return openssl_error(Code::aead_decrypt_failed);
  return plaintext;
}

}  // namespace cardea::crypto
