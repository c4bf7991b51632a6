// RSA operations of AsymmetricKey (RFC 8017).
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "crypto/asymmetric_key.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

// Runs one of OpenSSL's "context, out, length, in, length" functions.
template <class Function>
Result<std::size_t> run(Function function, KeyContext& context, ByteView input, MutableBytes out, Code failure) {
  std::size_t written = out.size();
  if (function(context.context.get(), out.data(), &written, input.data(), input.size()) != 1)
    return openssl_error(failure);
  return written;
}

Status check(KeyContext& context, ByteView tbs, ByteView signature) {
  if (EVP_PKEY_verify(context.context.get(), signature.data(), signature.size(), tbs.data(), tbs.size()) == 1)
    return {};
  return openssl_error(Code::signature_invalid);
}

// Whether OpenSSL itself rejects implicitly (3.2, and distributions that took it back into 3.0).
bool library_rejects_implicitly() {
  static const bool known = [] {
    EVP_ASYM_CIPHER* const rsa = EVP_ASYM_CIPHER_fetch(context(), "RSA", nullptr);
    const OSSL_PARAM* const settable = rsa != nullptr ? EVP_ASYM_CIPHER_settable_ctx_params(rsa) : nullptr;
    const bool found = settable != nullptr && OSSL_PARAM_locate_const(settable, "implicit-rejection") != nullptr;
    EVP_ASYM_CIPHER_free(rsa);
    return found;
  }();
  return known;
}

bool set_label(EVP_PKEY_CTX* context, ByteView label) {
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, const_cast<Byte*>(label.data()),
                                        label.size()),
      OSSL_PARAM_construct_end()};
  return EVP_PKEY_CTX_set_params(context, parameters.data()) == 1;
}

// A context that has had a label cannot be told to forget it in every OpenSSL, so it is made for one call.
template <class Function>
Result<std::size_t> run_with_label(Function function, EVP_PKEY* key, const ContextSetup& setup, ByteView label,
                                   ByteView input, MutableBytes out, Code failure) {
  // On the heap: the pool stands on cache lines of 64 bytes, and gcc 12 may align stack variables to 32 bytes only
  // where the address sanitizer looks for uses after return (detect_stack_use_after_return=1, as in our tests).
  const auto fresh = std::make_unique<KeyContextPool>();
  CARDEA_ASSIGN(const auto context, fresh->take(key, setup));
  if (!set_label(context->context.get(), label)) return openssl_error(Code::internal);
  return run(function, *context, input, out, failure);
}

}  // namespace

Result<std::size_t> AsymmetricKey::rsa_private_raw(ByteView input, MutableBytes out) const {
  if (input.size() != output_size_) return Code::data_length;
  return with_context({ContextTask::rsa_raw_private}, [&](KeyContext& context) {
    return run(EVP_PKEY_decrypt, context, input, out.first(output_size_), Code::data_invalid);
  });
}

Result<std::size_t> AsymmetricKey::rsa_public_raw(ByteView input, MutableBytes out) const {
  if (input.size() != output_size_) return Code::data_length;
  return with_context({ContextTask::rsa_raw_public}, [&](KeyContext& context) {
    return run(EVP_PKEY_encrypt, context, input, out.first(output_size_), Code::data_invalid);
  });
}

Result<std::size_t> AsymmetricKey::sign_pkcs1(ByteView digest_info, MutableBytes out) const {
  if (digest_info.size() + pkcs1_overhead > output_size_) return Code::data_length;
  return with_context({ContextTask::pkcs1_sign}, [&](KeyContext& context) {
    return run(EVP_PKEY_sign, context, digest_info, out.first(output_size_), Code::internal);
  });
}

Result<std::size_t> AsymmetricKey::sign_pss(Hash hash, Hash mgf_hash, std::size_t salt_length, ByteView digest,
                                            MutableBytes out) const {
  if (digest.size() != hash_size(hash)) return Code::data_length;
  const ContextSetup setup{ContextTask::pss_sign, hash, mgf_hash, static_cast<std::uint32_t>(salt_length)};
  return with_context(setup, [&](KeyContext& context) {
    return run(EVP_PKEY_sign, context, digest, out.first(output_size_), Code::key_size_range);
  });
}

Result<std::size_t> AsymmetricKey::decrypt_pkcs1(ByteView ciphertext, MutableBytes out) const {
  if (ciphertext.size() != output_size_) return Code::encrypted_data_length;
  if (library_rejects_implicitly()) {
    return with_context({ContextTask::pkcs1_decrypt}, [&](KeyContext& context) {
      return run(EVP_PKEY_decrypt, context, ciphertext, out, Code::encrypted_data_invalid);
    });
  }
  SecretBytes padded(output_size_);
  auto raw = rsa_private_raw(ciphertext, padded.mutable_view());
  // Only a ciphertext that is not below the modulus fails here, which everybody can see.
  if (!raw) return error(Code::encrypted_data_invalid);
  const ImplicitRejection& rejection = implicit_rejection();
  if (!rejection.ready()) return Code::internal;
  return rejection.unpad(ciphertext, padded.mutable_view(), out);
}

const ImplicitRejection& AsymmetricKey::implicit_rejection() const {
  std::call_once(rejection_once_, [this] {
    const auto numbers = rsa_numbers();
    if (!numbers) return;
    SecretBytes exponent(output_size_);
    const ByteView d = numbers->private_exponent.view();
    if (d.size() > exponent.size()) return;
    std::copy(d.begin(), d.end(), exponent.data() + (exponent.size() - d.size()));
    SecretBytes digest(SHA256_DIGEST_LENGTH);
    if (EVP_Digest(exponent.data(), exponent.size(), digest.data(), nullptr, hash_md(Hash::sha256), nullptr) != 1)
      return;
    if (auto rejection = ImplicitRejection::make(digest.view())) rejection_ = std::move(*rejection);
  });
  return rejection_;
}

Result<std::size_t> AsymmetricKey::decrypt_oaep(Hash hash, Hash mgf_hash, ByteView label, ByteView ciphertext,
                                                MutableBytes out) const {
  if (ciphertext.size() != output_size_) return Code::encrypted_data_length;
  const ContextSetup setup{ContextTask::oaep_decrypt, hash, mgf_hash};
  if (!label.empty())
    return run_with_label(EVP_PKEY_decrypt, key_.get(), setup, label, ciphertext, out, Code::encrypted_data_invalid);
  return with_context(setup, [&](KeyContext& context) {
    return run(EVP_PKEY_decrypt, context, ciphertext, out, Code::encrypted_data_invalid);
  });
}

Status AsymmetricKey::verify_pkcs1(ByteView digest_info, ByteView signature) const {
  if (signature.size() != output_size_) return Code::signature_length;
  return with_context({ContextTask::pkcs1_verify},
                      [&](KeyContext& context) { return check(context, digest_info, signature); });
}

Status AsymmetricKey::verify_pss(Hash hash, Hash mgf_hash, std::size_t salt_length, ByteView digest,
                                 ByteView signature) const {
  if (signature.size() != output_size_) return Code::signature_length;
  if (digest.size() != hash_size(hash)) return Code::data_length;
  const ContextSetup setup{ContextTask::pss_verify, hash, mgf_hash, static_cast<std::uint32_t>(salt_length)};
  return with_context(setup, [&](KeyContext& context) { return check(context, digest, signature); });
}

Result<std::size_t> AsymmetricKey::recover_pkcs1(ByteView signature, MutableBytes out) const {
  if (signature.size() != output_size_) return Code::signature_length;
  return with_context({ContextTask::pkcs1_recover}, [&](KeyContext& context) {
    return run(EVP_PKEY_verify_recover, context, signature, out.first(output_size_), Code::signature_invalid);
  });
}

Result<std::size_t> AsymmetricKey::encrypt_pkcs1(ByteView message, MutableBytes out) const {
  if (message.size() + pkcs1_overhead > output_size_) return Code::data_length;
  return with_context({ContextTask::pkcs1_encrypt}, [&](KeyContext& context) {
    return run(EVP_PKEY_encrypt, context, message, out.first(output_size_), Code::internal);
  });
}

Result<std::size_t> AsymmetricKey::encrypt_oaep(Hash hash, Hash mgf_hash, ByteView label, ByteView message,
                                                MutableBytes out) const {
  if (message.size() + 2 * hash_size(hash) + 2 > output_size_) return Code::data_length;
  const ContextSetup setup{ContextTask::oaep_encrypt, hash, mgf_hash};
  if (!label.empty())
    return run_with_label(EVP_PKEY_encrypt, key_.get(), setup, label, message, out.first(output_size_), Code::internal);
  return with_context(setup, [&](KeyContext& context) {
    return run(EVP_PKEY_encrypt, context, message, out.first(output_size_), Code::internal);
  });
}

}  // namespace cardea::crypto
