#include "crypto/random.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

#include "crypto/library.h"

namespace cardea::crypto {

Status random_bytes(MutableBytes out) {
  // The DRBG answers any size by itself, in requests of its own limit.
  if (!out.empty() && RAND_bytes_ex(context(), out.data(), out.size(), 0) != 1) {
    return openssl_error(Code::device_error);
  }
  return {};
}

Status stir_random(ByteView seed) {
  // Additional input of a reseed is limited by the DRBG; a long seed goes in piecewise.
  constexpr std::size_t piece = 4096;
  EVP_RAND_CTX* const generator = RAND_get0_public(context());
  if (generator == nullptr) return openssl_error(Code::device_error);
  for (; !seed.empty(); seed = seed.subspan(std::min(piece, seed.size()))) {
    const ByteView now = seed.first(std::min(piece, seed.size()));
    if (EVP_RAND_reseed(generator, 0, nullptr, 0, now.data(), now.size()) != 1) {
      return openssl_error(Code::device_error);
    }
  }
  return {};
}

}  // namespace cardea::crypto
