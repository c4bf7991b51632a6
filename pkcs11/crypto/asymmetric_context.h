// Ready EVP_PKEY_CTX for one key. OpenSSL 3 is slow in fetching and setting up, not in arithmetic, so a context is kept
// with its configuration after use; threads take theirs from different cache lines and never wait for each other.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/openssl_ptr.h"

namespace cardea::crypto {

/// What a context is set up for.
enum class ContextTask : std::uint8_t {
  none,
  rsa_raw_private,
  rsa_raw_public,
  pkcs1_sign,
  pkcs1_verify,
  pkcs1_recover,
  pkcs1_encrypt,
  pkcs1_decrypt,
  pss_sign,
  pss_verify,
  oaep_encrypt,
  oaep_decrypt,
  ecdsa_sign,
  ecdsa_verify,
  ecdh
};

/// A task with everything that OpenSSL keeps inside the context for it.
struct ContextSetup {
  ContextTask task = ContextTask::none;
  Hash hash = Hash::none;
  Hash mgf_hash = Hash::none;
  std::uint32_t salt_length = 0;  ///< bytes
  bool operator==(const ContextSetup&) const = default;
};

/// A context with what belongs to it.
struct KeyContext {
  PkeyContextPtr context;
  PkeyPtr peer;  ///< ContextTask::ecdh: an EVP_PKEY into which peers' points are put one after the other
  ContextSetup setup;
};

/// The contexts of one key that are not in use. Thread-safe.
class KeyContextPool {
 public:
  KeyContextPool() = default;
  KeyContextPool(const KeyContextPool&) = delete;
  KeyContextPool& operator=(const KeyContextPool&) = delete;
  ~KeyContextPool();

  /// A context for `key`, set up so; internal when OpenSSL cannot do that.
  Result<std::unique_ptr<KeyContext>> take(EVP_PKEY* key, const ContextSetup& setup);
  /// Gives a context back for the next call.
  void put(std::unique_ptr<KeyContext> context) noexcept;

 private:
  static constexpr std::size_t cache_line = 64;
  static constexpr std::size_t slot_count = 8;
  struct alignas(cache_line) Slot {
    std::atomic<KeyContext*> idle{nullptr};
  };
  Slot& slot_of_this_thread() noexcept;

  std::array<Slot, slot_count> slots_;
};

}  // namespace cardea::crypto
