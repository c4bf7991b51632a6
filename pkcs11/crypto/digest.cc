#include "crypto/digest.h"

#include <openssl/evp.h>

#include <utility>

#include "crypto/library.h"

namespace cardea::crypto {

void Digest::Free::operator()(EVP_MD_CTX* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Result<Digest> Digest::make(Hash hash) {
  if (hash_md(hash) == nullptr) return Code::mechanism_invalid;
  std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  if (context == nullptr) return Code::host_memory;
  Digest made(hash, std::move(context));
  CARDEA_TRY(made.restart());
  return made;
}

Status Digest::restart() {
  if (EVP_DigestInit_ex2(context_.get(), hash_md(hash_), nullptr) != 1) return openssl_error(Code::internal);
  return {};
}

Status Digest::update(ByteView data) {
  if (EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1) return openssl_error(Code::internal);
  return {};
}

Status Digest::finish(MutableBytes out) {
  if (out.size() < size()) return Code::buffer_too_small;
  const bool extendable = hash_ == Hash::shake128 || hash_ == Hash::shake256;
  const int done = extendable ? EVP_DigestFinalXOF(context_.get(), out.data(), size())
                              : EVP_DigestFinal_ex(context_.get(), out.data(), nullptr);
  if (done != 1) return openssl_error(Code::internal);
  return {};
}

Result<Digest> Digest::clone() const {
  std::unique_ptr<EVP_MD_CTX, Free> copy(EVP_MD_CTX_new());
  if (copy == nullptr) return Code::host_memory;
  if (EVP_MD_CTX_copy_ex(copy.get(), context_.get()) != 1) return openssl_error(Code::internal);
  return Digest(hash_, std::move(copy));
}

Result<Bytes> digest(Hash hash, ByteView data) {
  CARDEA_ASSIGN(Digest running, Digest::make(hash));
  CARDEA_TRY(running.update(data));
  Bytes out(running.size());
  CARDEA_TRY(running.finish(out));
  return out;
}

}  // namespace cardea::crypto
