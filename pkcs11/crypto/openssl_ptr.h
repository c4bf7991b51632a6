// Owners for OpenSSL's objects.
#pragma once

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <memory>

namespace cardea::crypto {

/// Calls OpenSSL's own release function.
template <auto Release>
struct Releaser {
  template <class T>
  void operator()(T* object) const noexcept {
    Release(object);
  }
};

using PkeyPtr = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Releaser<EVP_PKEY_CTX_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, Releaser<EVP_MD_CTX_free>>;
using BigNumberPtr = std::unique_ptr<BIGNUM, Releaser<BN_clear_free>>;
using BigNumberContextPtr = std::unique_ptr<BN_CTX, Releaser<BN_CTX_free>>;
using CurvePtr = std::unique_ptr<EC_GROUP, Releaser<EC_GROUP_free>>;
using PointPtr = std::unique_ptr<EC_POINT, Releaser<EC_POINT_clear_free>>;

}  // namespace cardea::crypto
