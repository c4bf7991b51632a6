#include "crypto/cipher.h"

#include <openssl/core_dispatch.h>
#include <openssl/evp.h>

#include <array>
#include <atomic>

#include "base/process_root.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

// Names by key size: 16, 24, 32, 64 bytes, in the order of the enumeration.
constexpr std::size_t key_sizes = 4;
constexpr std::array<std::array<const char*, key_sizes>, cipher_count> names{{
    {"AES-128-ECB", "AES-192-ECB", "AES-256-ECB", nullptr},
    {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC", nullptr},
    {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC", nullptr},
    {"AES-128-CBC-CTS", "AES-192-CBC-CTS", "AES-256-CBC-CTS", nullptr},
    {"AES-128-CTR", "AES-192-CTR", "AES-256-CTR", nullptr},
    {"AES-128-CFB1", "AES-192-CFB1", "AES-256-CFB1", nullptr},
    {"AES-128-CFB8", "AES-192-CFB8", "AES-256-CFB8", nullptr},
    {"AES-128-CFB", "AES-192-CFB", "AES-256-CFB", nullptr},
    {"AES-128-OFB", "AES-192-OFB", "AES-256-OFB", nullptr},
    {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM", nullptr},
    {"AES-128-CCM", "AES-192-CCM", "AES-256-CCM", nullptr},
    {nullptr, nullptr, "AES-128-XTS", "AES-256-XTS"},
    {"AES-128-WRAP", "AES-192-WRAP", "AES-256-WRAP", nullptr},
    {"AES-128-WRAP-PAD", "AES-192-WRAP-PAD", "AES-256-WRAP-PAD", nullptr},
    {nullptr, nullptr, "ChaCha20", nullptr},
    {nullptr, nullptr, "ChaCha20-Poly1305", nullptr},
    {nullptr, "DES-EDE3-ECB", nullptr, nullptr},
    {nullptr, "DES-EDE3-CBC", nullptr, nullptr},
}};

std::size_t size_index(std::size_t key_size) noexcept {
  switch (key_size) {
    case 16:
      return 0;
    case 24:
      return 1;
    case 32:
      return 2;
    case 64:
      return 3;
    default:
      return key_sizes;
  }
}

const char* name_of(Cipher cipher, std::size_t key_size) noexcept {
  const std::size_t size = size_index(key_size);
  return size == key_sizes ? nullptr : names[static_cast<std::size_t>(cipher)][size];
}

struct FetchedCiphers {
  std::array<std::array<std::atomic<EVP_CIPHER*>, key_sizes>, cipher_count> cipher{};
  ~FetchedCiphers() {
    for (auto& sizes : cipher) {
      for (auto& one : sizes) EVP_CIPHER_free(one.load());
    }
  }
};

}  // namespace

bool cipher_available(Cipher cipher, std::size_t key_size) {
  const char* const name = name_of(cipher, key_size);
  return name != nullptr && provided(OSSL_OP_CIPHER, name) != nullptr;
}

const EVP_CIPHER* cipher_algorithm(Cipher cipher, std::size_t key_size) noexcept {
  const char* const name = name_of(cipher, key_size);
  if (name == nullptr) return nullptr;
  const auto index = static_cast<std::size_t>(cipher);
  const std::size_t size = size_index(key_size);
  std::atomic<EVP_CIPHER*>& slot = process_singleton<FetchedCiphers>(Root::ciphers).cipher[index][size];
  if (EVP_CIPHER* const known = slot.load(std::memory_order_acquire)) return known;
  EVP_CIPHER* const fetched = EVP_CIPHER_fetch(context(), name, nullptr);
  EVP_CIPHER* expected = nullptr;
  if (slot.compare_exchange_strong(expected, fetched, std::memory_order_acq_rel)) return fetched;
  EVP_CIPHER_free(fetched);
  return expected;
}

}  // namespace cardea::crypto
