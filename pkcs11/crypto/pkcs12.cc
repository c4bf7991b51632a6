#include "crypto/pkcs12.h"

#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "crypto/library.h"
#include "crypto/openssl_ptr.h"

namespace cardea::crypto {

namespace {

using X509Ptr = std::unique_ptr<X509, Releaser<X509_free>>;
using KeyInfoPtr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Releaser<PKCS8_PRIV_KEY_INFO_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using FilePtr = std::unique_ptr<PKCS12, Releaser<PKCS12_free>>;

struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), FreeStack>;

// Passwords made here are random, so the count need only be what readers take without complaint.
constexpr int iterations = 10000;

Result<X509Ptr> read_certificate(ByteView der) {
  const unsigned char* next = der.data();
  X509* target = X509_new_ex(context(), nullptr);
  if (target == nullptr) return openssl_error(Code::host_memory);
  // On failure d2i_X509 frees the target itself.
  X509Ptr certificate(d2i_X509(&target, &next, static_cast<long>(der.size())));
  if (!certificate || next != der.data() + der.size()) return openssl_error(Code::data_invalid);
  return certificate;
}

Result<KeyPtr> read_key(ByteView der) {
  const unsigned char* next = der.data();
  const KeyInfoPtr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &next, static_cast<long>(der.size())));
  KeyPtr key(info ? EVP_PKCS82PKEY_ex(info.get(), context(), nullptr) : nullptr);
  if (!key) return openssl_error(Code::wrapped_key_invalid);
  return key;
}

}  // namespace

Result<SecretBytes> make_pkcs12(ByteView private_key_info, ByteView certificate, const std::vector<Bytes>& chain,
                                const SecretBytes& password, const std::string& name) {
  CARDEA_ASSIGN(const KeyPtr key, read_key(private_key_info));
  CARDEA_ASSIGN(const X509Ptr own, read_certificate(certificate));
  if (X509_check_private_key(own.get(), key.get()) != 1) return openssl_error(Code::key_type_inconsistent);
  const StackPtr above(sk_X509_new_null());
  if (!above) return openssl_error(Code::host_memory);
  for (const Bytes& der : chain) {
    CARDEA_ASSIGN(X509Ptr one, read_certificate(der));
    if (sk_X509_push(above.get(), one.get()) <= 0) return openssl_error(Code::host_memory);
    static_cast<void>(one.release());
  }
  // OpenSSL wants a terminated text.
  SecretBytes text(password.size() + 1);
  std::copy_n(password.data(), password.size(), text.data());
  text.data()[password.size()] = 0;
  const FilePtr file(PKCS12_create_ex(reinterpret_cast<const char*>(text.data()), name.c_str(), key.get(), own.get(),
                                      above.get(), NID_aes_256_cbc, NID_aes_256_cbc, iterations, iterations, 0,
                                      context(), nullptr));
  if (!file) return openssl_error(Code::function_failed);
  unsigned char* encoded = nullptr;
  const int size = i2d_PKCS12(file.get(), &encoded);
  if (size <= 0) return openssl_error(Code::function_failed);
  SecretBytes out(ByteView(encoded, static_cast<std::size_t>(size)));
  OPENSSL_clear_free(encoded, static_cast<std::size_t>(size));
  return out;
}

}  // namespace cardea::crypto
