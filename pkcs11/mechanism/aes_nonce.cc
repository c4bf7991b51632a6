#include <algorithm>

#include "crypto/random.h"
#include "mechanism/aes_aead.h"

namespace cardea {
namespace {

// Fewer random bits than this would repeat too soon: with 64 bits after some 2^32 messages, as SP 800-38D, 8.3 limits.
constexpr std::size_t least_random_bits = 64;

/// Copies the bits of `from` after the first `fixed_bits` into `nonce`. Both are equally long.
void replace_bits(MutableBytes nonce, std::size_t fixed_bits, ByteView from) {
  for (std::size_t i = fixed_bits / 8; i < nonce.size(); ++i) {
    const std::size_t kept = i == fixed_bits / 8 ? fixed_bits % 8 : 0;
    const auto mask = static_cast<Byte>(0xff >> kept);
    nonce[i] = static_cast<Byte>((nonce[i] & ~mask) | (from[i] & mask));
  }
}

Status randomize(MutableBytes nonce, std::size_t fixed_bits) {
  if (8 * nonce.size() - fixed_bits < least_random_bits) return Code::mechanism_param_invalid;
  Bytes fresh(nonce.size());
  CARDEA_TRY(crypto::random_bytes(fresh));
  replace_bits(nonce, fixed_bits, fresh);
  return {};
}

}  // namespace

Status NonceGenerator::next(MutableBytes nonce, std::size_t fixed_bits, CK_GENERATOR_FUNCTION function) {
  if (function == CKG_NO_GENERATE) return {};
  if (fixed_bits > 8 * nonce.size()) return Code::mechanism_param_invalid;
  switch (function) {
    case CKG_GENERATE:
    case CKG_GENERATE_RANDOM:
      return randomize(nonce, fixed_bits);
    case CKG_GENERATE_COUNTER:
      return count(nonce, fixed_bits, false);
    case CKG_GENERATE_COUNTER_XOR:
      return count(nonce, fixed_bits, true);
    default:
      return Code::mechanism_param_invalid;
  }
}

Status NonceGenerator::count(MutableBytes nonce, std::size_t fixed_bits, bool combine) {
  const std::size_t free_bits = 8 * nonce.size() - fixed_bits;
  const bool exhausted = counter_ == UINT64_MAX || (free_bits < 64 && counter_ >> free_bits != 0);
  if (exhausted) return Code::mechanism_param_invalid;
  Bytes value(nonce.size());
  for (std::size_t i = 0; i < std::min<std::size_t>(8, value.size()); ++i) {
    value[value.size() - 1 - i] = static_cast<Byte>(counter_ >> 8 * i);
  }
  if (combine) {
    // The caller may leave the nonce that was answered in its buffer, so the first one is remembered as the base.
    if (base_.size() != nonce.size()) base_.assign(nonce.begin(), nonce.end());
    for (std::size_t i = 0; i < value.size(); ++i) value[i] ^= base_[i];
  }
  replace_bits(nonce, fixed_bits, value);
  ++counter_;
  return {};
}

bool is_safe_wrap_nonce(std::size_t nonce_size, std::size_t fixed_bits, CK_GENERATOR_FUNCTION function) noexcept {
  return (function == CKG_GENERATE || function == CKG_GENERATE_RANDOM) && fixed_bits <= 8 * nonce_size &&
         8 * nonce_size - fixed_bits >= least_random_bits;
}

Status generate_wrap_nonce(MutableBytes nonce, std::size_t fixed_bits, CK_GENERATOR_FUNCTION function) {
  if (!is_safe_wrap_nonce(nonce.size(), fixed_bits, function)) return Code::mechanism_param_invalid;
  return randomize(nonce, fixed_bits);
}

}  // namespace cardea
