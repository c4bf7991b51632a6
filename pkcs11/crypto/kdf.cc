#include "crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>
#include <vector>

#include "crypto/kdf_fetched.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_KDF_CTX* context) const noexcept { EVP_KDF_CTX_free(context); }
};

// The parameters of one derivation. Views must outlive run().
class Derivation {
 public:
  explicit Derivation(EVP_KDF* algorithm) : context_(algorithm == nullptr ? nullptr : EVP_KDF_CTX_new(algorithm)) {}

  Derivation& digest(const char* name) {
    parameters_.push_back(OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(name), 0));
    return *this;
  }
  Derivation& bytes(const char* name, ByteView value) {
    static const Byte nothing = 0;  // the library takes no null, not even for nothing
    Byte* const data = const_cast<Byte*>(value.empty() ? &nothing : value.data());
    parameters_.push_back(OSSL_PARAM_construct_octet_string(name, data, value.size()));
    return *this;
  }
  Derivation& number(const char* name, int& value) {
    parameters_.push_back(OSSL_PARAM_construct_int(name, &value));
    return *this;
  }
  Derivation& number(const char* name, std::uint64_t& value) {
    parameters_.push_back(OSSL_PARAM_construct_uint64(name, &value));
    return *this;
  }

  Result<SecretBytes> run(std::size_t size) {
    if (context_ == nullptr) return openssl_error(Code::mechanism_invalid);
    parameters_.push_back(OSSL_PARAM_construct_end());
    SecretBytes out(size);
    if (EVP_KDF_derive(context_.get(), out.data(), out.size(), parameters_.data()) != 1) {
      return openssl_error(Code::mechanism_param_invalid);
    }
    return out;
  }

 private:
  std::unique_ptr<EVP_KDF_CTX, FreeContext> context_;
  std::vector<OSSL_PARAM> parameters_;
};

}  // namespace

Result<SecretBytes> hkdf_extract(Hash hash, ByteView salt, ByteView key_material) {
  if (hash_md(hash) == nullptr) return Code::mechanism_invalid;
  const Bytes zeros(hash_size(hash));
  int mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
  return Derivation(fetched_kdf(Kdf::hkdf))
      .number(OSSL_KDF_PARAM_MODE, mode)
      .digest(hash_name(hash))
      .bytes(OSSL_KDF_PARAM_KEY, key_material)
      .bytes(OSSL_KDF_PARAM_SALT, salt.empty() ? ByteView(zeros) : salt)
      .run(hash_size(hash));
}

Result<SecretBytes> hkdf_expand(Hash hash, ByteView pseudo_random_key, ByteView info, std::size_t size) {
  if (hash_md(hash) == nullptr) return Code::mechanism_invalid;
  if (size == 0 || size > 255 * hash_size(hash)) return Code::key_size_range;
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  return Derivation(fetched_kdf(Kdf::hkdf))
      .number(OSSL_KDF_PARAM_MODE, mode)
      .digest(hash_name(hash))
      .bytes(OSSL_KDF_PARAM_KEY, pseudo_random_key)
      .bytes(OSSL_KDF_PARAM_INFO, info)
      .run(size);
}

Result<SecretBytes> pbkdf2(Hash hash, ByteView password, ByteView salt, std::uint64_t iterations, std::size_t size) {
  if (hash_md(hash) == nullptr) return Code::mechanism_invalid;
  int any_parameters = 1;  // the library would refuse what SP 800-132 finds weak: that is the caller's decision
  return Derivation(fetched_kdf(Kdf::pbkdf2))
      .number(OSSL_KDF_PARAM_PKCS5, any_parameters)
      .digest(hash_name(hash))
      .bytes(OSSL_KDF_PARAM_PASSWORD, password)
      .bytes(OSSL_KDF_PARAM_SALT, salt)
      .number(OSSL_KDF_PARAM_ITER, iterations)
      .run(size);
}

Result<SecretBytes> tls_prf(Hash hash, ByteView secret, ByteView label, ByteView seed, std::size_t size) {
  if (hash != Hash::none && hash_md(hash) == nullptr) return Code::mechanism_invalid;
  Derivation derivation(fetched_kdf(Kdf::tls1_prf));
  derivation.digest(hash == Hash::none ? "MD5-SHA1" : hash_name(hash)).bytes(OSSL_KDF_PARAM_SECRET, secret);
  // Seeds given one after the other are concatenated.
  if (!label.empty()) derivation.bytes(OSSL_KDF_PARAM_SEED, label);
  if (!seed.empty()) derivation.bytes(OSSL_KDF_PARAM_SEED, seed);
  return derivation.run(size);
}

}  // namespace cardea::crypto
