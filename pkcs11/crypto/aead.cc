#include "crypto/aead.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/process_root.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

/// The provider's AES-256-GCM, called without EVP (provider-cipher(7)). EVP fetches it by setting up every cipher there
/// is, which takes longer than the rest of opening a token; a process that only signs needs no other cipher.
struct Gcm {
  void* const own_context = provider_context();
  OSSL_FUNC_cipher_newctx_fn* new_context = nullptr;
  OSSL_FUNC_cipher_freectx_fn* free_context = nullptr;
  OSSL_FUNC_cipher_encrypt_init_fn* encrypt_init = nullptr;
  OSSL_FUNC_cipher_decrypt_init_fn* decrypt_init = nullptr;
  OSSL_FUNC_cipher_update_fn* update = nullptr;
  OSSL_FUNC_cipher_final_fn* finish = nullptr;
  OSSL_FUNC_cipher_get_ctx_params_fn* get_parameters = nullptr;
  OSSL_FUNC_cipher_set_ctx_params_fn* set_parameters = nullptr;

  Gcm() {
    const OSSL_DISPATCH* functions = provided(OSSL_OP_CIPHER, "AES-256-GCM");
    for (; functions != nullptr && functions->function_id != 0; ++functions) keep(functions);
  }

  bool usable() const noexcept {
    return new_context != nullptr && free_context != nullptr && encrypt_init != nullptr && decrypt_init != nullptr &&
           update != nullptr && finish != nullptr && get_parameters != nullptr && set_parameters != nullptr;
  }

 private:
  void keep(const OSSL_DISPATCH* function) noexcept {
    switch (function->function_id) {
      case OSSL_FUNC_CIPHER_NEWCTX:
        new_context = OSSL_FUNC_cipher_newctx(function);
        break;
      case OSSL_FUNC_CIPHER_FREECTX:
        free_context = OSSL_FUNC_cipher_freectx(function);
        break;
      case OSSL_FUNC_CIPHER_ENCRYPT_INIT:
        encrypt_init = OSSL_FUNC_cipher_encrypt_init(function);
        break;
      case OSSL_FUNC_CIPHER_DECRYPT_INIT:
        decrypt_init = OSSL_FUNC_cipher_decrypt_init(function);
        break;
      case OSSL_FUNC_CIPHER_UPDATE:
        update = OSSL_FUNC_cipher_update(function);
        break;
      case OSSL_FUNC_CIPHER_FINAL:
        finish = OSSL_FUNC_cipher_final(function);
        break;
      case OSSL_FUNC_CIPHER_GET_CTX_PARAMS:
        get_parameters = OSSL_FUNC_cipher_get_ctx_params(function);
        break;
      case OSSL_FUNC_CIPHER_SET_CTX_PARAMS:
        set_parameters = OSSL_FUNC_cipher_set_ctx_params(function);
        break;
      default:
        break;
    }
  }
};

const Gcm& gcm() {
  return process_singleton<Gcm>(Root::aead);
}

enum class Work : bool { open, seal };

/// One message.
class Message {
 public:
  Message() : context_(gcm().usable() ? gcm().new_context(gcm().own_context) : nullptr) {}
  ~Message() {
    if (context_ != nullptr) gcm().free_context(context_);  // wiped by the provider
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  Status start(Work work, ByteView key, ByteView nonce, ByteView associated_data) {
    if (key.size() != aead_key_size || nonce.size() != aead_nonce_size) return Code::arguments_bad;
    if (context_ == nullptr) return openssl_error(Code::internal);
    auto* const init = work == Work::seal ? gcm().encrypt_init : gcm().decrypt_init;
    if (init(context_, key.data(), key.size(), nonce.data(), nonce.size(), nullptr) != 1) {
      return openssl_error(Code::internal);
    }
    return update(associated_data, nullptr);
  }

  /// `out` has the size of `in`; null for associated data.
  Status update(ByteView in, Byte* out) {
    std::size_t written = 0;
    if (!in.empty() && gcm().update(context_, out, &written, in.size(), in.data(), in.size()) != 1) {
      return openssl_error(Code::internal);
    }
    return {};
  }

  /// When opening: whether the tag is right.
  bool finish() {
    Byte nothing[aead_tag_size];
    std::size_t written = 0;
    return gcm().finish(context_, nothing, &written, sizeof nothing) == 1;
  }

  bool get_tag(MutableBytes tag) {
    OSSL_PARAM parameters[] = {tag_parameter(tag), OSSL_PARAM_construct_end()};
    return gcm().get_parameters(context_, parameters) == 1;
  }

  bool set_tag(MutableBytes tag) {
    const OSSL_PARAM parameters[] = {tag_parameter(tag), OSSL_PARAM_construct_end()};
    return gcm().set_parameters(context_, parameters) == 1;
  }

 private:
  static OSSL_PARAM tag_parameter(MutableBytes tag) {
    return OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size());
  }

  void* const context_;
};

}  // namespace

Result<Bytes> aead_seal(ByteView key, ByteView nonce, ByteView associated_data, ByteView plaintext) {
  Message message;
  CARDEA_TRY(message.start(Work::seal, key, nonce, associated_data));
  Bytes sealed(plaintext.size() + aead_tag_size);
  CARDEA_TRY(message.update(plaintext, sealed.data()));
  if (!message.finish() || !message.get_tag(MutableBytes(sealed).last(aead_tag_size))) {
    return openssl_error(Code::internal);
  }
  return sealed;
}

Result<SecretBytes> aead_open(ByteView key, ByteView nonce, ByteView associated_data, ByteView sealed) {
  if (sealed.size() < aead_tag_size) return Code::aead_decrypt_failed;
  const ByteView ciphertext = sealed.first(sealed.size() - aead_tag_size);
  Bytes tag = to_bytes(sealed.last(aead_tag_size));
  Message message;
  CARDEA_TRY(message.start(Work::open, key, nonce, associated_data));
  SecretBytes plaintext(ciphertext.size());
  if (!message.set_tag(tag)) return openssl_error(Code::internal);
  CARDEA_TRY(message.update(ciphertext, plaintext.mutable_view().data()));
  if (!message.finish()) return openssl_error(Code::aead_decrypt_failed);
  return plaintext;
}

}  // namespace cardea::crypto
