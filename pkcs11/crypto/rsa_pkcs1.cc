#include "crypto/rsa_pkcs1.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/secret.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

using MacContextPtr = std::unique_ptr<EVP_MAC_CTX, Releaser<EVP_MAC_CTX_free>>;
using MacPtr = std::unique_ptr<EVP_MAC, Releaser<EVP_MAC_free>>;

constexpr std::size_t mac_size = 32;
constexpr std::size_t length_candidates = 128;

// All ones or all zeros; arithmetic instead of branches, because whether the padding is right is secret.
using Mask = std::uint32_t;
Mask mask_if_zero(std::uint32_t a) noexcept {
  return static_cast<Mask>(0) - ((~a & (a - 1)) >> 31);
}
Mask mask_if_less(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<Mask>(0) - ((a ^ ((a ^ b) | ((a - b) ^ b))) >> 31);
}
std::uint32_t select(Mask mask, std::uint32_t a, std::uint32_t b) noexcept {
  return (mask & a) | (~mask & b);
}

bool mac(EVP_MAC_CTX* context, ByteView a, ByteView b, ByteView c, Byte* out) {
  std::size_t written = 0;
  return EVP_MAC_update(context, a.data(), a.size()) == 1 &&
         (b.empty() || EVP_MAC_update(context, b.data(), b.size()) == 1) &&
         (c.empty() || EVP_MAC_update(context, c.data(), c.size()) == 1) &&
         EVP_MAC_final(context, out, &written, mac_size) == 1;
}

// The draft's PRF: HMAC-SHA-256(key, block number || label || output bits) for block 0, 1, …
bool expand(EVP_MAC_CTX* keyed, std::string_view label, MutableBytes out) {
  const std::size_t bits = 8 * out.size();
  const std::array<Byte, 2> size{static_cast<Byte>(bits >> 8), static_cast<Byte>(bits)};
  std::array<Byte, mac_size> block{};
  bool good = true;
  for (std::size_t done = 0, number = 0; done < out.size() && good; done += mac_size, ++number) {
    const std::array<Byte, 2> counter{static_cast<Byte>(number >> 8), static_cast<Byte>(number)};
    good = EVP_MAC_init(keyed, nullptr, 0, nullptr) == 1 && mac(keyed, counter, view_of(label), size, block.data());
    std::copy_n(block.begin(), std::min(mac_size, out.size() - done), out.begin() + static_cast<std::ptrdiff_t>(done));
  }
  wipe(block);
  return good;
}

// The length of the replacement: the last of the candidates that fits.
std::uint32_t replacement_length(ByteView candidates, std::uint32_t block_size) noexcept {
  const std::uint32_t limit = block_size - 10;
  const std::uint32_t bits_mask = (std::uint32_t{1} << std::bit_width(limit)) - 1;
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < candidates.size(); i += 2) {
    const std::uint32_t candidate = ((std::uint32_t{candidates[i]} << 8) | candidates[i + 1]) & bits_mask;
    length = select(mask_if_less(candidate, limit), candidate, length);
  }
  return length;
}

}  // namespace

Result<ImplicitRejection> ImplicitRejection::make(ByteView secret) {
  const MacPtr hmac(EVP_MAC_fetch(context(), "HMAC", nullptr));
  ImplicitRejection made;
  made.keyed_.reset(hmac ? EVP_MAC_CTX_new(hmac.get()) : nullptr);
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA2-256"), 0),
      OSSL_PARAM_construct_end()};
  if (!made.keyed_ || EVP_MAC_init(made.keyed_.get(), secret.data(), secret.size(), parameters.data()) != 1)
    return openssl_error(Code::internal);
  return made;
}

Result<std::size_t> ImplicitRejection::unpad(ByteView ciphertext, MutableBytes padded, MutableBytes out,
                                             ByteView key_identity) const {
  const auto size = static_cast<std::uint32_t>(padded.size());
  SecretBytes derived(mac_size + 2 * length_candidates + size);
  const MutableBytes key = derived.mutable_view().first(mac_size);
  const MutableBytes candidates = derived.mutable_view().subspan(mac_size, 2 * length_candidates);
  const MutableBytes replacement = derived.mutable_view().last(size);
  const MacContextPtr from_ciphertext(EVP_MAC_CTX_dup(keyed_.get()));
  if (!from_ciphertext || !mac(from_ciphertext.get(), ciphertext, key_identity, {}, key.data()) ||
      EVP_MAC_init(from_ciphertext.get(), key.data(), key.size(), nullptr) != 1 ||
      !expand(from_ciphertext.get(), "length", candidates) || !expand(from_ciphertext.get(), "message", replacement))
    return openssl_error(Code::internal);

  Mask good = mask_if_zero(padded[0]) & mask_if_zero(padded[1] ^ 2u);
  Mask found = 0;
  std::uint32_t separator = 0;
  for (std::uint32_t i = 2; i < size; ++i) {
    const Mask zero = mask_if_zero(padded[i]);
    separator = select(~found & zero, i, separator);
    found |= zero;
  }
  good &= found & ~mask_if_less(separator, pkcs1_overhead - 1);

  const std::uint32_t start = select(good, separator + 1, size - replacement_length(candidates, size));
  for (std::uint32_t i = 0; i < size; ++i) padded[i] = static_cast<Byte>(select(good, padded[i], replacement[i]));
  // From here on only the message and its length are used, which the caller learns anyway.
  const MutableBytes message = padded.subspan(start);
  std::copy(message.begin(), message.end(), out.begin());
  return message.size();
}

}  // namespace cardea::crypto
