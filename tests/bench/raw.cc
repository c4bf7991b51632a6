// OpenSSL used directly: key loaded, context reused, algorithms fetched once.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <stdexcept>

#include "bench/contender.h"

namespace cardea::bench {

namespace {

void expect(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

using Key = std::shared_ptr<EVP_PKEY>;
using Context = std::shared_ptr<EVP_PKEY_CTX>;

Key shared(EVP_PKEY* key) {
  expect(key != nullptr, "key generation");
  return {key, EVP_PKEY_free};
}

Context context(const Key& key) {
  Context made(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr), EVP_PKEY_CTX_free);
  expect(made != nullptr, "context");
  return made;
}

// A SHA-256 DigestInfo is 51 bytes (RFC 8017, 9.2); what stands in it does not matter here.
const test::Blob digest_info(51, 0x33);
const test::Blob digest(32, 0x44);

class Raw : public Contender {
 public:
  const std::string& name() const override { return name_; }

  Work work(Operation operation) override {
    switch (operation) {
      case Operation::rsa_sign:
        return sign(rsa_, true, digest_info);
      case Operation::ecdsa_sign:
        return sign(p256_, false, digest);
      case Operation::rsa_verify:
        return verify(rsa_, true, digest_info);
      case Operation::ecdsa_verify:
        return verify(p256_, false, digest);
      case Operation::rsa_decrypt:
        return decrypt();
      case Operation::ecdh:
        return derive();
      case Operation::aes_gcm:
        return encrypt();
    }
    throw std::logic_error("unknown operation");
  }

 private:
  static void pkcs1(const Context& context) {
    expect(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1, "padding");
  }

  static Work sign(const Key& key, bool rsa, const test::Blob& data) {
    const Context own = context(key);
    expect(EVP_PKEY_sign_init(own.get()) == 1, "sign_init");
    if (rsa) pkcs1(own);
    return [own, key, data, out = test::Blob(512)]() mutable {
      std::size_t size = out.size();
      expect(EVP_PKEY_sign(own.get(), out.data(), &size, data.data(), data.size()) == 1, "sign");
    };
  }

  static Work verify(const Key& key, bool rsa, const test::Blob& data) {
    const Context signing = context(key);
    expect(EVP_PKEY_sign_init(signing.get()) == 1, "sign_init");
    if (rsa) pkcs1(signing);
    test::Blob signature(512);
    std::size_t size = signature.size();
    expect(EVP_PKEY_sign(signing.get(), signature.data(), &size, data.data(), data.size()) == 1, "sign");
    signature.resize(size);
    const Context own = context(key);
    expect(EVP_PKEY_verify_init(own.get()) == 1, "verify_init");
    if (rsa) pkcs1(own);
    return [own, key, data, signature] {
      expect(EVP_PKEY_verify(own.get(), signature.data(), signature.size(), data.data(), data.size()) == 1, "verify");
    };
  }

  Work decrypt() const {
    const Context encrypting = context(rsa_);
    expect(EVP_PKEY_encrypt_init(encrypting.get()) == 1, "encrypt_init");
    pkcs1(encrypting);
    test::Blob cipher(256);
    std::size_t size = cipher.size();
    expect(EVP_PKEY_encrypt(encrypting.get(), cipher.data(), &size, digest.data(), digest.size()) == 1, "encrypt");
    const Context own = context(rsa_);
    expect(EVP_PKEY_decrypt_init(own.get()) == 1, "decrypt_init");
    pkcs1(own);
    return [own, key = rsa_, cipher, out = test::Blob(256)]() mutable {
      std::size_t written = out.size();
      expect(EVP_PKEY_decrypt(own.get(), out.data(), &written, cipher.data(), cipher.size()) == 1, "decrypt");
    };
  }

  Work derive() const {
    const Context own = context(p256_);
    expect(EVP_PKEY_derive_init(own.get()) == 1, "derive_init");
    expect(EVP_PKEY_derive_set_peer(own.get(), peer_.get()) == 1, "set_peer");
    return [own, key = p256_, peer = peer_, out = test::Blob(64)]() mutable {
      std::size_t size = out.size();
      expect(EVP_PKEY_derive(own.get(), out.data(), &size) == 1, "derive");
    };
  }

  static Work encrypt() {
    const std::shared_ptr<EVP_CIPHER> cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), EVP_CIPHER_free);
    const std::shared_ptr<EVP_CIPHER_CTX> own(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    const test::Blob key(32, 0x11);
    test::Blob nonce(12, 0x22);
    expect(EVP_EncryptInit_ex2(own.get(), cipher.get(), key.data(), nonce.data(), nullptr) == 1, "encrypt_init");
    return [own, cipher, nonce, data = test::Blob(gcm_bytes, 0x55), out = test::Blob(gcm_bytes + 16)]() mutable {
      ++nonce[0];
      int size = 0, rest = 0;
      expect(EVP_EncryptInit_ex2(own.get(), nullptr, nullptr, nonce.data(), nullptr) == 1, "nonce");
      expect(EVP_EncryptUpdate(own.get(), out.data(), &size, data.data(), static_cast<int>(data.size())) == 1,
             "update");
      expect(EVP_EncryptFinal_ex(own.get(), out.data() + size, &rest) == 1, "final");
      expect(EVP_CIPHER_CTX_ctrl(own.get(), EVP_CTRL_AEAD_GET_TAG, 16, out.data() + gcm_bytes) == 1, "tag");
    };
  }

  std::string name_ = "raw";
  Key rsa_ = shared(EVP_RSA_gen(2048));
  Key p256_ = shared(EVP_EC_gen("P-256"));
  Key peer_ = shared(EVP_EC_gen("P-256"));
};

}  // namespace

std::unique_ptr<Contender> make_raw() {
  return std::make_unique<Raw>();
}

void write_raw_key(const std::filesystem::path& path) {
  const Key key = shared(EVP_EC_gen("P-256"));
  unsigned char bytes[65 + 32];
  std::size_t size = 0;
  expect(EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, bytes, 65, &size) == 1, "public key");
  BIGNUM* scalar = nullptr;
  expect(EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1, "private key");
  expect(size == 65 && BN_bn2binpad(scalar, bytes + 65, 32) == 32, "key sizes");
  BN_free(scalar);
  test::write_file(path, std::string(reinterpret_cast<const char*>(bytes), sizeof bytes));
}

}  // namespace cardea::bench
