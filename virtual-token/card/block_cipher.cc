#include "card/block_cipher.h"

#include <mbedtls/aes.h>
#include <mbedtls/des.h>

#include <memory>

namespace cardea::vcard {

namespace {

struct Job {
  bool encrypt;
  bool chained;
};

template <class Context, void (*init)(Context*), void (*release)(Context*)>
class Owned {
 public:
  Owned() { init(&context_); }
  ~Owned() { release(&context_); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Context* get() { return &context_; }

 private:
  Context context_;
};

using Aes = Owned<mbedtls_aes_context, mbedtls_aes_init, mbedtls_aes_free>;
using Des3 = Owned<mbedtls_des3_context, mbedtls_des3_init, mbedtls_des3_free>;

Status run_aes(const Job& job, ByteView key, ByteView in, MutableBytes out) {
  Aes aes;
  const auto bits = static_cast<unsigned>(key.size() * 8);
  const int set = job.encrypt ? mbedtls_aes_setkey_enc(aes.get(), key.data(), bits)
                              : mbedtls_aes_setkey_dec(aes.get(), key.data(), bits);
  if (set != 0) return Code::device_error;
  const int mode = job.encrypt ? MBEDTLS_AES_ENCRYPT : MBEDTLS_AES_DECRYPT;
  if (job.chained) {
    Byte vector[16] = {};
    return mbedtls_aes_crypt_cbc(aes.get(), mode, in.size(), vector, in.data(), out.data()) == 0
               ? Status()
               : Status(Code::device_error);
  }
  for (std::size_t at = 0; at < in.size(); at += 16) {
    if (mbedtls_aes_crypt_ecb(aes.get(), mode, &in[at], &out[at]) != 0) return Code::device_error;
  }
  return {};
}

Status run_des3(const Job& job, ByteView key, ByteView in, MutableBytes out) {
  Des3 des;
  const int set =
      job.encrypt ? mbedtls_des3_set3key_enc(des.get(), key.data()) : mbedtls_des3_set3key_dec(des.get(), key.data());
  if (set != 0) return Code::device_error;
  if (job.chained) {
    Byte vector[8] = {};
    const int mode = job.encrypt ? MBEDTLS_DES_ENCRYPT : MBEDTLS_DES_DECRYPT;
    return mbedtls_des3_crypt_cbc(des.get(), mode, in.size(), vector, in.data(), out.data()) == 0
               ? Status()
               : Status(Code::device_error);
  }
  for (std::size_t at = 0; at < in.size(); at += 8) {
    if (mbedtls_des3_crypt_ecb(des.get(), &in[at], &out[at]) != 0) return Code::device_error;
  }
  return {};
}

Result<Bytes> run(BlockCipher cipher, const Job& job, ByteView key, ByteView blocks) {
  if (key.size() != key_size(cipher)) return Code::key_size_range;
  if (blocks.size() % block_size(cipher) != 0) return Code::data_length;
  Bytes out(blocks.size());
  CARDEA_TRY(cipher == BlockCipher::des3 ? run_des3(job, key, blocks, out) : run_aes(job, key, blocks, out));
  return out;
}

// The lowest bit of each byte of a DES key is parity and takes no part.
bool same_des_key(ByteView a, ByteView b) {
  Byte difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<Byte>((a[i] ^ b[i]) & 0xFE);
  return difference == 0;
}

}  // namespace

std::optional<BlockCipher> block_cipher_of(Byte identifier) {
  switch (identifier) {
    case 0x00:
    case 0x03:
      return BlockCipher::des3;
    case 0x08:
      return BlockCipher::aes128;
    case 0x0A:
      return BlockCipher::aes192;
    case 0x0C:
      return BlockCipher::aes256;
    default:
      return std::nullopt;
  }
}

std::size_t key_size(BlockCipher cipher) {
  switch (cipher) {
    case BlockCipher::aes128:
      return 16;
    case BlockCipher::aes256:
      return 32;
    default:
      return 24;
  }
}

std::size_t block_size(BlockCipher cipher) {
  return cipher == BlockCipher::des3 ? 8 : 16;
}

bool is_weak_key(BlockCipher cipher, ByteView key) {
  if (cipher != BlockCipher::des3 || key.size() != key_size(cipher)) return false;
  return same_des_key(key.first(8), key.subspan(8, 8)) || same_des_key(key.subspan(8, 8), key.last(8));
}

Result<Bytes> encrypt_blocks(BlockCipher cipher, ByteView key, ByteView blocks) {
  return run(cipher, {.encrypt = true, .chained = false}, key, blocks);
}

Result<Bytes> decrypt_blocks(BlockCipher cipher, ByteView key, ByteView blocks) {
  return run(cipher, {.encrypt = false, .chained = false}, key, blocks);
}

Result<Bytes> encrypt_chained(BlockCipher cipher, ByteView key, ByteView blocks) {
  return run(cipher, {.encrypt = true, .chained = true}, key, blocks);
}

Result<Bytes> decrypt_chained(BlockCipher cipher, ByteView key, ByteView blocks) {
  return run(cipher, {.encrypt = false, .chained = true}, key, blocks);
}

}  // namespace cardea::vcard
