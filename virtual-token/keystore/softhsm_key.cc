// SoftHSM2's protection: the token's AES-256 key in CBC under a key derived from a PIN, values in CBC under the token's
// key (src/lib/data_mgr/SecureDataManager.cpp and RFC4880.cpp there).
#include <array>

#include "crypto/digest.h"
#include "crypto/symmetric_key.h"
#include "keystore/softhsm.h"

namespace cardea::keystore::softhsm {
namespace {

constexpr std::size_t salt_size = 8;
constexpr std::size_t iv_size = 16;
constexpr std::size_t aes_key_size = 32;
constexpr unsigned base_iterations = 1500;
constexpr std::array<Byte, 3> magic{'R', 'J', 'R'};

/// SHA-256 of salt and PIN, hashed again as often as the salt's last byte says beyond a base count.
Result<SecretBytes> derive(const Pin& pin, ByteView salt) {
  SecretBytes key(aes_key_size);
  CARDEA_ASSIGN(crypto::Digest digest, crypto::Digest::make(Hash::sha256));
  CARDEA_TRY(digest.update(salt));
  CARDEA_TRY(digest.update(pin.view()));
  CARDEA_TRY(digest.finish(key.mutable_view()));
  for (unsigned i = 1; i < base_iterations + salt.back(); ++i) {
    CARDEA_TRY(digest.restart());
    CARDEA_TRY(digest.update(key.view()));
    CARDEA_TRY(digest.finish(key.mutable_view()));
  }
  return key;
}

}  // namespace

Result<SecretBytes> decrypt(const SecretBytes& key, ByteView value) {
  if (value.empty()) return SecretBytes();
  if (value.size() < 2 * iv_size) return error(Code::store_corrupt, "an encrypted value is cut short");
  const crypto::SymmetricKeyPtr aes = crypto::SymmetricKey::make(key.copy());
  CARDEA_ASSIGN(crypto::CipherContext context, aes->cipher(crypto::Cipher::aes_cbc_pad, crypto::Direction::decrypt));
  CARDEA_TRY(context.start(value.first(iv_size)));
  SecretBytes plaintext(value.size());
  CARDEA_ASSIGN(const std::size_t most, context.update(value.subspan(iv_size), plaintext.mutable_view()));
  CARDEA_ASSIGN(const std::size_t last, context.finish(plaintext.mutable_view().subspan(most), Code::store_corrupt));
  plaintext.truncate(most + last);
  return plaintext;
}

Result<SecretBytes> unlock(ByteView blob, const Pin& pin) {
  if (blob.size() < salt_size + 2 * iv_size) return error(Code::store_corrupt, "the key under the PIN is cut short");
  if (pin.size() == 0) return Code::pin_incorrect;
  CARDEA_ASSIGN(const SecretBytes pin_key, derive(pin, blob.first(salt_size)));
  const auto opened = decrypt(pin_key, blob.subspan(salt_size));
  // Neither padding nor magic tells a wrong PIN from a damaged blob; the PIN is by far the likelier.
  if (!opened && opened.code() != Code::store_corrupt) return opened.error();
  if (!opened || opened->size() != magic.size() + aes_key_size) return Code::pin_incorrect;
  if (!same_bytes(opened->view().first(magic.size()), magic)) return Code::pin_incorrect;
  return SecretBytes(opened->view().subspan(magic.size()));
}

}  // namespace cardea::keystore::softhsm
