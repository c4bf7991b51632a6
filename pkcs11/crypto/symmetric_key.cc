#include "crypto/symmetric_key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/thread_number.h"
#include "crypto/library.h"
#include "crypto/mac.h"

namespace cardea::crypto {
namespace {

constexpr unsigned cipher_kinds = 2 * cipher_count;
constexpr unsigned cmac_kind = cipher_kinds + hash_count;

constexpr unsigned kind_of(Cipher cipher, Direction direction) noexcept {
  return 2 * static_cast<unsigned>(cipher) + static_cast<unsigned>(direction);
}

// What the library sets by itself. Asking it would cost a good part of what a short message costs.
constexpr std::size_t usual_iv_size(Cipher cipher) noexcept {
  switch (cipher) {
    case Cipher::aes_gcm:
    case Cipher::chacha20_poly1305:
      return 12;
    case Cipher::aes_wrap:
      return 8;
    case Cipher::aes_wrap_pad:
      return 4;
    default:
      return 16;
  }
}

}  // namespace

/// Idle contexts of one kind with the key loaded. Each place is a cache line of its own: threads that share a key must
/// not wait for each other.
class ContextPool {
 public:
  explicit ContextPool(unsigned kind) : kind(kind) {}
  ~ContextPool() {
    for (auto& place : places_) release(place.context.load());
  }

  /// Null when there is none.
  void* take() noexcept {
    const unsigned start = thread_number();
    for (unsigned i = 0; i < place_count; ++i) {
      auto& place = places_[(start + i) % place_count].context;
      if (place.load(std::memory_order_relaxed) == nullptr) continue;
      if (void* const taken = place.exchange(nullptr, std::memory_order_acquire)) return taken;
    }
    return nullptr;
  }

  void give(void* context) noexcept {
    const unsigned start = thread_number();
    for (unsigned i = 0; i < place_count; ++i) {
      void* expected = nullptr;
      auto& place = places_[(start + i) % place_count].context;
      if (place.compare_exchange_strong(expected, context, std::memory_order_release, std::memory_order_relaxed))
        return;
    }
    release(context);
  }

  void release(void* context) const noexcept {
    if (kind < cipher_kinds) {
      EVP_CIPHER_CTX_free(static_cast<EVP_CIPHER_CTX*>(context));
    } else {
      EVP_MAC_CTX_free(static_cast<EVP_MAC_CTX*>(context));
    }
  }

  const unsigned kind;
  ContextPool* next = nullptr;

 private:
  static constexpr unsigned place_count = 8;
  struct alignas(64) Place {
    std::atomic<void*> context{nullptr};
  };
  std::array<Place, place_count> places_{};
};

SymmetricKeyPtr SymmetricKey::make(SecretBytes value) {
  return SymmetricKeyPtr(new SymmetricKey(std::move(value)));
}

SymmetricKey::~SymmetricKey() {
  for (ContextPool* pool = pools_.load(); pool != nullptr;) delete std::exchange(pool, pool->next);
}

ContextPool& SymmetricKey::pool(unsigned kind) const {
  ContextPool* const first = pools_.load(std::memory_order_acquire);
  for (ContextPool* pool = first; pool != nullptr; pool = pool->next) {
    if (pool->kind == kind) return *pool;
  }
  auto fresh = std::make_unique<ContextPool>(kind);
  fresh->next = first;
  // When another thread was quicker there may be two pools of a kind for a moment; both work.
  while (!pools_.compare_exchange_weak(fresh->next, fresh.get(), std::memory_order_acq_rel)) {
  }
  return *fresh.release();
}

Result<CipherContext> SymmetricKey::cipher(Cipher cipher, Direction direction) const {
  return SymmetricKey::cipher(shared_from_this(), cipher, direction);
}

Result<CipherContext> SymmetricKey::cipher(SymmetricKeyPtr key, Cipher cipher, Direction direction) {
  const SecretBytes& value = key->value_;
  ContextPool& ready = key->pool(kind_of(cipher, direction));
  if (void* const context = ready.take()) {
    return CipherContext(std::move(key), ready, static_cast<EVP_CIPHER_CTX*>(context), usual_iv_size(cipher));
  }
  const EVP_CIPHER* const algorithm = cipher_algorithm(cipher, value.size());
  if (algorithm == nullptr) return Code::key_size_range;
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  if (context == nullptr) return Code::host_memory;
  CipherContext made(std::move(key), ready, context, usual_iv_size(cipher));
  made.reusable_ = false;  // until it is complete
  EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  std::array<OSSL_PARAM, 2> settings{OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
  char variant[] = OSSL_CIPHER_CTS_MODE_CS1;
  if (cipher == Cipher::aes_cts) {
    settings[0] = OSSL_PARAM_construct_utf8_string(OSSL_CIPHER_PARAM_CTS_MODE, variant, 0);
  }
  if (EVP_CipherInit_ex2(context, algorithm, value.data(), nullptr, static_cast<int>(direction), settings.data()) !=
          1 ||
      EVP_CIPHER_CTX_set_padding(context, cipher == Cipher::aes_cbc_pad ? 1 : 0) != 1) {
    return openssl_error(Code::internal);
  }
  // A CCM context learns the message's lengths together with the key, so it is not worth keeping.
  made.reusable_ = cipher != Cipher::aes_ccm;
  return made;
}

CipherContext::CipherContext(SymmetricKeyPtr key, ContextPool& pool, EVP_CIPHER_CTX* context,
                             std::size_t iv_size) noexcept
    : key_(std::move(key)), pool_(&pool), context_(context), iv_size_(iv_size) {}

CipherContext::CipherContext(CipherContext&& other) noexcept
    : key_(std::move(other.key_)),
      pool_(other.pool_),
      context_(std::exchange(other.context_, nullptr)),
      iv_size_(other.iv_size_),
      reusable_(other.reusable_) {}

CipherContext::~CipherContext() {
  if (context_ == nullptr) return;
  if (reusable_) {
    pool_->give(context_);
  } else {
    pool_->release(context_);
  }
}

Status CipherContext::start(ByteView iv) {
  if (!iv.empty() && iv.size() != iv_size_) {
    // Kept contexts all have the usual IV length, so that the next user need not set it.
    reusable_ = false;
    if (EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(iv.size()), nullptr) != 1) {
      return openssl_error(Code::mechanism_param_invalid);
    }
  }
  if (EVP_CipherInit_ex2(context_, nullptr, nullptr, iv.empty() ? nullptr : iv.data(), -1, nullptr) != 1) {
    return openssl_error(Code::mechanism_param_invalid);
  }
  return {};
}

Status CipherContext::start_ccm(ByteView nonce, std::size_t data_size, std::size_t tag_size, ByteView expected_tag) {
  Bytes tag = to_bytes(expected_tag);
  int ignored = 0;
  if (EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce.size()), nullptr) != 1 ||
      EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_size),
                          tag.empty() ? nullptr : tag.data()) != 1 ||
      EVP_CipherInit_ex2(context_, nullptr, key_->value().data(), nonce.data(), -1, nullptr) != 1 ||
      EVP_CipherUpdate(context_, nullptr, &ignored, nullptr, static_cast<int>(data_size)) != 1) {
    return openssl_error(Code::mechanism_param_invalid);
  }
  return {};
}

namespace {

// The library counts in int.
constexpr std::size_t piece_limit = std::size_t{1} << 30;

}  // namespace

Status CipherContext::associated_data(ByteView data) {
  while (!data.empty()) {
    const ByteView piece = data.first(std::min(data.size(), piece_limit));
    int ignored = 0;
    if (EVP_CipherUpdate(context_, nullptr, &ignored, piece.data(), static_cast<int>(piece.size())) != 1) {
      return openssl_error(Code::mechanism_param_invalid);
    }
    data = data.subspan(piece.size());
  }
  return {};
}

Result<std::size_t> CipherContext::update(ByteView input, MutableBytes out) {
  std::size_t total = 0;
  do {
    const ByteView piece = input.first(std::min(input.size(), piece_limit));
    int written = 0;
    if (out.empty() && piece.size() > EVP_MAX_BLOCK_LENGTH) return Code::buffer_too_small;
    // The library refuses null even where there is nothing to read.
    const Byte nothing = 0;
    const Byte* const from = piece.empty() ? &nothing : piece.data();
    Byte spare[2 * EVP_MAX_BLOCK_LENGTH];
    Byte* const to = out.empty() ? spare : out.data() + total;
    if (EVP_CipherUpdate(context_, to, &written, from, static_cast<int>(piece.size())) != 1) {
      return openssl_error(Code::data_length);
    }
    total += static_cast<std::size_t>(written);
    input = input.subspan(piece.size());
  } while (!input.empty());
  return total;
}

Result<std::size_t> CipherContext::finish(MutableBytes out, Code on_failure) {
  Byte last[EVP_MAX_BLOCK_LENGTH];
  int written = 0;
  const bool good = EVP_CipherFinal_ex(context_, last, &written) == 1;
  const auto size = static_cast<std::size_t>(good ? written : 0);
  const bool fits = size <= out.size();
  if (good && fits) std::copy_n(last, size, out.data());
  wipe(last);
  if (!good) return openssl_error(on_failure);
  if (!fits) return Code::internal;
  return size;
}

Status CipherContext::tag(MutableBytes out) {
  if (EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(out.size()), out.data()) != 1) {
    return openssl_error(Code::internal);
  }
  return {};
}

Status CipherContext::expect_tag(ByteView tag) {
  Bytes copy = to_bytes(tag);
  if (EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(copy.size()), copy.data()) != 1) {
    return openssl_error(Code::internal);
  }
  return {};
}

Result<MacContext> SymmetricKey::hmac(Hash hash) const {
  ContextPool& ready = pool(cipher_kinds + static_cast<unsigned>(hash));
  auto* context = static_cast<EVP_MAC_CTX*>(ready.take());
  if (context == nullptr) {
    CARDEA_ASSIGN(context, new_hmac_context(hash, value()));
  }
  MacContext made(shared_from_this(), ready, context, hash_size(hash));
  CARDEA_TRY(made.restart());
  return made;
}

Result<MacContext> SymmetricKey::aes_cmac() const {
  constexpr std::size_t aes_block = 16;
  ContextPool& ready = pool(cmac_kind);
  auto* context = static_cast<EVP_MAC_CTX*>(ready.take());
  if (context == nullptr) {
    CARDEA_ASSIGN(context, new_aes_cmac_context(value()));
  }
  MacContext made(shared_from_this(), ready, context, aes_block);
  CARDEA_TRY(made.restart());
  return made;
}

MacContext::MacContext(SymmetricKeyPtr key, ContextPool& pool, EVP_MAC_CTX* context, std::size_t size) noexcept
    : key_(std::move(key)), pool_(&pool), context_(context), size_(size) {}

MacContext::MacContext(MacContext&& other) noexcept
    : key_(std::move(other.key_)),
      pool_(other.pool_),
      context_(std::exchange(other.context_, nullptr)),
      size_(other.size_) {}

MacContext::~MacContext() {
  if (context_ != nullptr) pool_->give(context_);
}

Status MacContext::restart() {
  // Without a key: the one that is loaded stays.
  if (EVP_MAC_init(context_, nullptr, 0, nullptr) != 1) return openssl_error(Code::internal);
  return {};
}

Status MacContext::update(ByteView data) {
  if (!data.empty() && EVP_MAC_update(context_, data.data(), data.size()) != 1) return openssl_error(Code::internal);
  return {};
}

Status MacContext::finish(MutableBytes out) {
  std::size_t written = 0;
  if (out.size() < size_) return Code::buffer_too_small;
  if (EVP_MAC_final(context_, out.data(), &written, out.size()) != 1) return openssl_error(Code::internal);
  return {};
}

}  // namespace cardea::crypto
