#include "mechanism/rsa_padding.h"

#include <algorithm>
#include <array>

#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/random.h"

namespace cardea {
namespace {

constexpr std::size_t longest_digest = 64;

// MGF1 (B.2.1), XORed over `out`.
Status apply_mask(Hash hash, ByteView seed, MutableBytes out) {
  const std::size_t step = crypto::hash_size(hash);
  SecretBytes block(longest_digest);
  CARDEA_ASSIGN(crypto::Digest running, crypto::Digest::make(hash));
  for (std::size_t done = 0, counter = 0; done < out.size(); done += step, ++counter) {
    const std::array<Byte, 4> number{static_cast<Byte>(counter >> 24), static_cast<Byte>(counter >> 16),
                                     static_cast<Byte>(counter >> 8), static_cast<Byte>(counter)};
    if (done != 0) CARDEA_TRY(running.restart());
    CARDEA_TRY(running.update(seed));
    CARDEA_TRY(running.update(number));
    CARDEA_TRY(running.finish(block.mutable_view()));
    const std::size_t size = std::min(step, out.size() - done);
    for (std::size_t i = 0; i < size; ++i) out[done + i] ^= block.data()[i];
  }
  return {};
}

// All ones when a is zero, else all zeros: OAEP's checks must not show in the time they take.
std::uint32_t mask_if_zero(std::uint32_t a) noexcept {
  return std::uint32_t{0} - ((~a & (a - 1)) >> 31);
}

}  // namespace

Result<ByteView> digest_info(Hash hash, ByteView digest, MutableBytes out) {
  const std::array<Byte, 15> sha1{0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                  0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
  const auto size = static_cast<Byte>(digest.size());
  const std::array<Byte, 19> nist{
      0x30, static_cast<Byte>(17 + size), 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
      0x02, crypto::hash_nist_arc(hash),  0x05, 0x00, 0x04, size};
  // SHAKE has an identifier in that arc, but PKCS#1 v1.5 is not defined with it (RFC 8702, 2).
  const bool extendable = hash == Hash::shake128 || hash == Hash::shake256;
  if (extendable || (hash != Hash::sha1 && crypto::hash_nist_arc(hash) == 0)) return Code::mechanism_param_invalid;
  if (digest.size() != crypto::hash_size(hash)) return Code::data_length;
  const ByteView prefix = hash == Hash::sha1 ? ByteView(sha1) : ByteView(nist);
  const auto end = std::copy(prefix.begin(), prefix.end(), out.begin());
  std::copy(digest.begin(), digest.end(), end);
  return ByteView(out).first(prefix.size() + digest.size());
}

Status pad_pkcs1_signature(ByteView data, MutableBytes block) {
  constexpr std::size_t overhead = 11;
  if (data.size() + overhead > block.size()) return Code::data_length;
  const MutableBytes padding = block.first(block.size() - data.size());
  std::fill(padding.begin(), padding.end(), Byte{0xff});
  padding[0] = 0;
  padding[1] = 1;
  padding.back() = 0;
  std::copy(data.begin(), data.end(), block.begin() + static_cast<std::ptrdiff_t>(padding.size()));
  return {};
}

Status pad_pss(Hash hash, Hash mgf_hash, std::size_t salt_length, std::size_t modulus_bits, ByteView digest,
               MutableBytes block) {
  const std::size_t hash_length = crypto::hash_size(hash);
  if (digest.size() != hash_length) return Code::data_length;
  // The encoded message has one bit less than the modulus, so it may be a byte shorter (8.1.1).
  const std::size_t encoded_length = (modulus_bits - 1 + 7) / 8;
  if (encoded_length < hash_length + salt_length + 2) return Code::key_size_range;
  std::fill(block.begin(), block.end(), Byte{0});
  const MutableBytes encoded = block.last(encoded_length);
  const MutableBytes masked = encoded.first(encoded_length - hash_length - 1);
  const MutableBytes salt = masked.last(salt_length);
  CARDEA_TRY(crypto::random_bytes(salt));

  constexpr std::array<Byte, 8> zeros{};
  CARDEA_ASSIGN(crypto::Digest running, crypto::Digest::make(hash));
  CARDEA_TRY(running.update(zeros));
  CARDEA_TRY(running.update(digest));
  CARDEA_TRY(running.update(salt));
  const MutableBytes h = encoded.subspan(masked.size(), hash_length);
  CARDEA_TRY(running.finish(h));
  masked[masked.size() - salt_length - 1] = 1;
  CARDEA_TRY(apply_mask(mgf_hash, h, masked));
  encoded[0] &= static_cast<Byte>(0xff >> (8 * encoded_length - (modulus_bits - 1)));
  encoded.back() = 0xbc;
  return {};
}

Result<std::size_t> unpad_oaep(Hash hash, Hash mgf_hash, ByteView label, MutableBytes block, MutableBytes out) {
  const std::size_t hash_length = crypto::hash_size(hash);
  if (block.size() < 2 * hash_length + 2) return Code::encrypted_data_invalid;
  const MutableBytes seed = block.subspan(1, hash_length);
  const MutableBytes data = block.subspan(1 + hash_length);
  CARDEA_TRY(apply_mask(mgf_hash, data, seed));
  CARDEA_TRY(apply_mask(mgf_hash, seed, data));
  CARDEA_ASSIGN(const Bytes label_hash, crypto::digest(hash, label));

  std::uint32_t wrong = block[0];
  for (std::size_t i = 0; i < hash_length; ++i) wrong |= static_cast<std::uint32_t>(data[i] ^ label_hash[i]);
  std::uint32_t start = 0;
  std::uint32_t found = 0;
  for (std::size_t i = hash_length; i < data.size(); ++i) {
    const std::uint32_t is_one = mask_if_zero(data[i] ^ 1u);
    const std::uint32_t is_zero = mask_if_zero(data[i]);
    start |= static_cast<std::uint32_t>(i + 1) & is_one & ~found;
    wrong |= ~found & ~is_one & ~is_zero;
    found |= is_one;
  }
  wrong |= ~found;
  if (wrong != 0) return Code::encrypted_data_invalid;
  const MutableBytes message = data.subspan(start);
  std::copy(message.begin(), message.end(), out.begin());
  return message.size();
}

}  // namespace cardea
