#include "crypto/kdf_fetched.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <array>
#include <atomic>

#include "base/process_root.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

constexpr std::array mac_names{"HMAC", "CMAC"};
constexpr std::array kdf_names{"HKDF", "PBKDF2", "TLS1-PRF"};

struct Fetched {
  std::array<std::atomic<EVP_MAC*>, mac_names.size()> mac{};
  std::array<std::atomic<EVP_KDF*>, kdf_names.size()> kdf{};
  ~Fetched() {
    for (auto& one : mac) EVP_MAC_free(one.load());
    for (auto& one : kdf) EVP_KDF_free(one.load());
  }
};

template <class T, class Fetch, class Free>
T* once(std::atomic<T*>& slot, Fetch fetch, Free free) noexcept {
  if (T* const known = slot.load(std::memory_order_acquire)) return known;
  T* const fetched = fetch();
  T* expected = nullptr;
  if (slot.compare_exchange_strong(expected, fetched, std::memory_order_acq_rel)) return fetched;
  free(fetched);
  return expected;
}

Fetched& fetched() {
  return process_singleton<Fetched>(Root::derivations);
}

}  // namespace

EVP_MAC* fetched_mac(Mac mac) noexcept {
  const auto index = static_cast<std::size_t>(mac);
  return once(
      fetched().mac[index], [&] { return EVP_MAC_fetch(context(), mac_names[index], nullptr); }, EVP_MAC_free);
}

EVP_KDF* fetched_kdf(Kdf kdf) noexcept {
  const auto index = static_cast<std::size_t>(kdf);
  return once(
      fetched().kdf[index], [&] { return EVP_KDF_fetch(context(), kdf_names[index], nullptr); }, EVP_KDF_free);
}

}  // namespace cardea::crypto
