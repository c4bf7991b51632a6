#include "crypto/mac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <memory>

#include "crypto/kdf_fetched.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_MAC_CTX, FreeContext>;

Result<ContextPtr> load(EVP_MAC* algorithm, const char* setting, const char* value, ByteView key) {
  if (algorithm == nullptr) return Code::mechanism_invalid;
  ContextPtr context(EVP_MAC_CTX_new(algorithm));
  if (context == nullptr) return Code::host_memory;
  const std::array<OSSL_PARAM, 2> settings{OSSL_PARAM_construct_utf8_string(setting, const_cast<char*>(value), 0),
                                           OSSL_PARAM_construct_end()};
  // A null key would mean "keep the one you have", so an empty key needs an address.
  const Byte nothing = 0;
  if (EVP_MAC_init(context.get(), key.empty() ? &nothing : key.data(), key.size(), settings.data()) != 1) {
    return openssl_error(Code::internal);
  }
  return context;
}

}  // namespace

Result<EVP_MAC_CTX*> new_hmac_context(Hash hash, ByteView key) {
  if (hash_md(hash) == nullptr) return Code::mechanism_invalid;
  CARDEA_ASSIGN(ContextPtr context, load(fetched_mac(Mac::hmac), OSSL_MAC_PARAM_DIGEST, hash_name(hash), key));
  return context.release();
}

Result<EVP_MAC_CTX*> new_aes_cmac_context(ByteView key) {
  const char* const cipher = key.size() == 16   ? "AES-128-CBC"
                             : key.size() == 24 ? "AES-192-CBC"
                             : key.size() == 32 ? "AES-256-CBC"
                                                : nullptr;
  if (cipher == nullptr) return Code::key_size_range;
  CARDEA_ASSIGN(ContextPtr context, load(fetched_mac(Mac::cmac), OSSL_MAC_PARAM_CIPHER, cipher, key));
  return context.release();
}

Result<SecretBytes> hmac(Hash hash, ByteView key, ByteView data) {
  CARDEA_ASSIGN(EVP_MAC_CTX* const raw, new_hmac_context(hash, key));
  const ContextPtr context(raw);
  SecretBytes out(hash_size(hash));
  std::size_t written = 0;
  if ((!data.empty() && EVP_MAC_update(context.get(), data.data(), data.size()) != 1) ||
      EVP_MAC_final(context.get(), out.data(), &written, out.size()) != 1) {
    return openssl_error(Code::internal);
  }
  return out;
}

}  // namespace cardea::crypto
