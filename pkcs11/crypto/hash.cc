#include "crypto/hash.h"

#include <openssl/evp.h>

#include <array>
#include <atomic>

#include "base/process_root.h"
#include "crypto/blake2b.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

struct HashFacts {
  const char* name;
  std::size_t size;
  std::size_t block;
  std::uint8_t nist_arc;
};

// In the order of the enumeration. OpenSSL itself has only the longest BLAKE2b; the shorter ones, which are no
// truncations of it (RFC 7693, 2.5), come from crypto/blake2b.h.
constexpr std::array<HashFacts, hash_count> facts{{{nullptr, 0, 0, 0},
                                                   {"SHA1", 20, 64, 0},
                                                   {"SHA2-224", 28, 64, 4},
                                                   {"SHA2-256", 32, 64, 1},
                                                   {"SHA2-384", 48, 128, 2},
                                                   {"SHA2-512", 64, 128, 3},
                                                   {"SHA2-512/224", 28, 128, 5},
                                                   {"SHA2-512/256", 32, 128, 6},
                                                   {"SHA3-224", 28, 144, 7},
                                                   {"SHA3-256", 32, 136, 8},
                                                   {"SHA3-384", 48, 104, 9},
                                                   {"SHA3-512", 64, 72, 10},
                                                   {"BLAKE2B-160", 20, 128, 0},
                                                   {"BLAKE2B-256", 32, 128, 0},
                                                   {"BLAKE2B-384", 48, 128, 0},
                                                   {"BLAKE2B-512", 64, 128, 0},
                                                   {"SHAKE-128", 32, 168, 11},
                                                   {"SHAKE-256", 64, 136, 12}}};

const HashFacts& facts_of(Hash hash) noexcept {
  return facts[static_cast<std::size_t>(hash)];
}

// Fetching costs more than hashing a short message, so each hash is fetched once, and only when it is asked for: a
// process that signs once should not pay for fifteen.
struct FetchedHashes {
  std::array<std::atomic<EVP_MD*>, hash_count> md{};
  ~FetchedHashes() {
    for (auto& one : md) EVP_MD_free(one.load());
  }
};

}  // namespace

const char* hash_name(Hash hash) noexcept {
  return facts_of(hash).name;
}

std::size_t hash_size(Hash hash) noexcept {
  return facts_of(hash).size;
}

std::size_t hash_block_size(Hash hash) noexcept {
  return facts_of(hash).block;
}

std::uint8_t hash_nist_arc(Hash hash) noexcept {
  return facts_of(hash).nist_arc;
}

const EVP_MD* hash_md(Hash hash) noexcept {
  const char* const name = hash_name(hash);
  if (name == nullptr) return nullptr;
  std::atomic<EVP_MD*>& slot = process_singleton<FetchedHashes>(Root::hashes).md[static_cast<std::size_t>(hash)];
  if (EVP_MD* const known = slot.load(std::memory_order_acquire)) return known;
  if (hash == Hash::blake2b_160 || hash == Hash::blake2b_256 || hash == Hash::blake2b_384) provide_short_blake2b();
  EVP_MD* const fetched = EVP_MD_fetch(context(), name, nullptr);
  EVP_MD* expected = nullptr;
  if (slot.compare_exchange_strong(expected, fetched, std::memory_order_acq_rel)) return fetched;
  EVP_MD_free(fetched);
  return expected;
}

}  // namespace cardea::crypto
