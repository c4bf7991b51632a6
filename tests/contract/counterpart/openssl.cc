#include "contract/counterpart/openssl.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <array>
#include <stdexcept>

namespace cardea::counterpart {
namespace {

struct ContextFree {
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
  void operator()(EVP_CIPHER* p) const { EVP_CIPHER_free(p); }
  void operator()(PKCS8_PRIV_KEY_INFO* p) const { PKCS8_PRIV_KEY_INFO_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(unsigned char* p) const { OPENSSL_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, ContextFree>;

void must(bool good, const char* what) {
  if (good) return;
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  throw std::runtime_error(std::string("OpenSSL, ") + what + ": " + text.data());
}

Bytes taken(unsigned char* raw, int size) {
  const Owned<unsigned char> owner(raw);
  must(size > 0, "encoding a key");
  return Bytes(raw, raw + size);
}

// The parameters of a scheme; they point into it.
class SchemeParameters {
 public:
  SchemeParameters(const Scheme& scheme, bool edwards) {
    std::size_t count = 0;
    if (!scheme.instance.empty())
      list_[count++] = OSSL_PARAM_construct_utf8_string("instance", const_cast<char*>(scheme.instance.c_str()), 0);
    if (!scheme.context.empty())
      list_[count++] =
          OSSL_PARAM_construct_octet_string("context-string", p11::in(scheme.context), scheme.context.size());
    if (!edwards) {
      deterministic_ = scheme.deterministic ? 1 : 0;
      list_[count++] = OSSL_PARAM_construct_int("deterministic", &deterministic_);
    }
    if (scheme.raw) list_[count++] = OSSL_PARAM_construct_int("message-encoding", &raw_);
    list_[count] = OSSL_PARAM_construct_end();
  }
  SchemeParameters(const SchemeParameters&) = delete;
  SchemeParameters& operator=(const SchemeParameters&) = delete;
  const OSSL_PARAM* data() const { return list_.data(); }

 private:
  int deterministic_ = 0;
  int raw_ = 0;
  std::array<OSSL_PARAM, 5> list_{};
};

bool is_edwards(const Pkey& key) {
  return EVP_PKEY_is_a(key.get(), "ED25519") == 1 || EVP_PKEY_is_a(key.get(), "ED448") == 1;
}

// AES key wrap with padding in one direction: 1 wraps, 0 unwraps.
Bytes key_wrap(const Bytes& key, const Bytes& data, int direction) {
  const Owned<EVP_CIPHER> cipher(EVP_CIPHER_fetch(nullptr, "AES-256-WRAP-PAD", nullptr));
  const Owned<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  must(cipher && EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), nullptr, direction, nullptr) == 1,
       "starting AES key wrap");
  Bytes out(data.size() + 16);
  int size = 0;
  must(EVP_CipherUpdate(context.get(), out.data(), &size, data.data(), static_cast<int>(data.size())) == 1,
       "AES key wrap");
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

bool available(const std::string& algorithm) {
  EVP_KEYMGMT* const found = EVP_KEYMGMT_fetch(nullptr, algorithm.c_str(), nullptr);
  EVP_KEYMGMT_free(found);
  ERR_clear_error();
  return found != nullptr;
}

Pkey generate(const std::string& algorithm) {
  Pkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm.c_str()));
  must(key != nullptr, "generating a key");
  return key;
}

Bytes octets(const Pkey& key, const char* parameter) {
  std::size_t size = 0;
  must(EVP_PKEY_get_octet_string_param(key.get(), parameter, nullptr, 0, &size) == 1, parameter);
  Bytes out(size);
  must(EVP_PKEY_get_octet_string_param(key.get(), parameter, out.data(), out.size(), &size) == 1, parameter);
  return out;
}

Pkey read_public(const Bytes& info) {
  const unsigned char* next = info.data();
  Pkey key(d2i_PUBKEY(nullptr, &next, static_cast<long>(info.size())));
  must(key && next == info.data() + info.size(), "reading SubjectPublicKeyInfo");
  return key;
}

Pkey read_private(const Bytes& info) {
  const unsigned char* next = info.data();
  Pkey key(d2i_AutoPrivateKey(nullptr, &next, static_cast<long>(info.size())));
  must(key && next == info.data() + info.size(), "reading PrivateKeyInfo");
  return key;
}

Bytes public_info(const Pkey& key) {
  unsigned char* raw = nullptr;
  const int size = i2d_PUBKEY(key.get(), &raw);
  return taken(raw, size);
}

Bytes private_info(const Pkey& key) {
  const Owned<PKCS8_PRIV_KEY_INFO> info(EVP_PKEY2PKCS8(key.get()));
  unsigned char* raw = nullptr;
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &raw) : 0;
  return taken(raw, size);
}

Bytes sign(const Pkey& key, const Bytes& message, const Scheme& scheme) {
  const SchemeParameters parameters(scheme, is_edwards(key));
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  must(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), parameters.data()) == 1,
       "starting a signature");
  std::size_t size = 0;
  must(EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1, "sizing a signature");
  Bytes signature(size);
  must(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1, "signing");
  signature.resize(size);
  return signature;
}

bool verify(const Pkey& key, const Bytes& message, const Bytes& signature, const Scheme& scheme) {
  const SchemeParameters parameters(scheme, is_edwards(key));
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  must(EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), parameters.data()) == 1,
       "starting a verification");
  const bool good =
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  ERR_clear_error();
  return good;
}

Encapsulation encapsulate(const Pkey& key) {
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  std::size_t ciphertext = 0, secret = 0;
  must(EVP_PKEY_encapsulate_init(context.get(), nullptr) == 1 &&
           EVP_PKEY_encapsulate(context.get(), nullptr, &ciphertext, nullptr, &secret) == 1,
       "starting an encapsulation");
  Encapsulation made{Bytes(ciphertext), Bytes(secret)};
  must(EVP_PKEY_encapsulate(context.get(), made.ciphertext.data(), &ciphertext, made.secret.data(), &secret) == 1,
       "encapsulating");
  return made;
}

Bytes decapsulate(const Pkey& key, const Bytes& ciphertext) {
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  std::size_t size = 0;
  must(EVP_PKEY_decapsulate_init(context.get(), nullptr) == 1 &&
           EVP_PKEY_decapsulate(context.get(), nullptr, &size, ciphertext.data(), ciphertext.size()) == 1,
       "starting a decapsulation");
  Bytes secret(size);
  must(EVP_PKEY_decapsulate(context.get(), secret.data(), &size, ciphertext.data(), ciphertext.size()) == 1,
       "decapsulating");
  secret.resize(size);
  return secret;
}

Bytes certificate(const Pkey& subject_key) {
  const Owned<X509> made(X509_new());
  const Pkey issuer(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  constexpr long day = 24 * 60 * 60;
  const auto* name = reinterpret_cast<const unsigned char*>("contract");
  must(made && issuer && X509_set_version(made.get(), X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1) == 1 &&
           X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8, name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(made.get(), X509_get_subject_name(made.get())) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(made.get()), 0) != nullptr &&
           X509_gmtime_adj(X509_getm_notAfter(made.get()), day) != nullptr &&
           X509_set_pubkey(made.get(), subject_key.get()) == 1 && X509_sign(made.get(), issuer.get(), EVP_sha256()) > 0,
       "making a certificate");
  unsigned char* raw = nullptr;
  const int size = i2d_X509(made.get(), &raw);
  return taken(raw, size);
}

Bytes agree(const Pkey& key, const Pkey& peer) {
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(key.get(), nullptr));
  Bytes secret(32);
  std::size_t size = secret.size();
  must(context && EVP_PKEY_derive_init(context.get()) == 1 &&
           EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
           EVP_PKEY_derive(context.get(), secret.data(), &size) == 1 && size == secret.size(),
       "agreeing on a secret");
  return secret;
}

Bytes digest(const std::string& name, const Bytes& data) {
  Bytes out(EVP_MAX_MD_SIZE);
  std::size_t size = 0;
  must(EVP_Q_digest(nullptr, name.c_str(), nullptr, data.data(), data.size(), out.data(), &size) == 1, name.c_str());
  out.resize(size);
  return out;
}

Bytes wrap(const Bytes& key, const Bytes& data) {
  return key_wrap(key, data, 1);
}

Bytes unwrap(const Bytes& key, const Bytes& wrapped) {
  return key_wrap(key, wrapped, 0);
}

}  // namespace cardea::counterpart
