#include "card/ed25519.h"

#include <sodium.h>

namespace cardea::vcard {

static_assert(Ed25519Key::seed_size == crypto_sign_SEEDBYTES);
static_assert(crypto_sign_SECRETKEYBYTES == crypto_sign_SEEDBYTES + crypto_sign_PUBLICKEYBYTES);

Result<Ed25519Key> Ed25519Key::from_seed(ByteView seed) {
  if (seed.size() != seed_size) return Code::key_size_range;
  // May be called again and from any thread; it has to come before everything else of the library.
  if (sodium_init() < 0) return Code::device_error;
  Byte public_key[crypto_sign_PUBLICKEYBYTES];
  SecretBytes pair(crypto_sign_SECRETKEYBYTES);
  if (crypto_sign_seed_keypair(public_key, pair.data(), seed.data()) != 0) return Code::device_error;
  return Ed25519Key(std::move(pair));
}

ByteView Ed25519Key::seed() const {
  return pair_.view().first(seed_size);
}

ByteView Ed25519Key::public_key() const {
  return pair_.view().subspan(seed_size);
}

Result<Bytes> Ed25519Key::sign(ByteView message) const {
  Bytes signature(crypto_sign_BYTES);
  if (crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), pair_.data()) != 0) {
    return Code::device_error;
  }
  return signature;
}

}  // namespace cardea::vcard
