#include "agent/pin_history.h"

#include <argon2.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "agent/private_file.h"
#include "crypto/digest.h"
#include "crypto/random.h"

namespace cardea::agent {
namespace {

// RFC 9106, 4, the second choice but for memory, which a laptop gives without a thought: 19 MiB, 2 passes, 1 lane are
// what OWASP's password sheet takes as enough.
constexpr std::uint32_t memory_kib = 19456;
constexpr std::uint32_t passes = 2;
constexpr std::uint32_t lanes = 1;
constexpr std::size_t salt_size = 16;
constexpr std::size_t hash_size = 32;
constexpr std::size_t entry_size = salt_size + hash_size;

Result<SecretBytes> hash_pin(const Pin& pin, ByteView salt) {
  SecretBytes hash(hash_size);
  const int done = argon2id_hash_raw(passes, memory_kib, lanes, pin.view().data(), pin.size(), salt.data(), salt.size(),
                                     hash.data(), hash.size());
  if (done != ARGON2_OK) return Code::host_memory;
  return hash;
}

}  // namespace

std::filesystem::path PinHistory::file_of(const std::string& token) const {
  // A serial number is the token's word, and must not become a path.
  const Result<Bytes> digest = crypto::digest(Hash::sha256, view_of(token));
  return directory_ / ("pins-" + (digest ? to_hex(*digest) : std::string()));
}

Result<bool> PinHistory::contains(const std::string& token, const Pin& pin, std::size_t depth) const {
  CARDEA_ASSIGN(const std::optional<SecretBytes> file, read_private_file(file_of(token)));
  if (!file) return false;
  if (file->size() % entry_size != 0) return error(Code::store_corrupt, "the list of former PINs is damaged");
  const std::size_t count = std::min(depth, file->size() / entry_size);
  for (std::size_t i = 0; i < count; ++i) {
    const ByteView entry = file->view().subspan(i * entry_size, entry_size);
    CARDEA_ASSIGN(const SecretBytes hash, hash_pin(pin, entry.first(salt_size)));
    if (equal_in_constant_time(hash.view(), entry.subspan(salt_size))) return true;
  }
  return false;
}

Status PinHistory::add(const std::string& token, const Pin& replaced, std::size_t depth) const {
  if (depth == 0) return {};
  CARDEA_ASSIGN(const bool is_newest, contains(token, replaced, 1));
  if (is_newest) return {};
  CARDEA_ASSIGN(const std::optional<SecretBytes> file, read_private_file(file_of(token)));
  const std::size_t kept = file ? std::min(depth - 1, file->size() / entry_size) * entry_size : 0;
  SecretBytes content(entry_size + kept);
  CARDEA_TRY(crypto::random_bytes(content.mutable_view().first(salt_size)));
  CARDEA_ASSIGN(const SecretBytes hash, hash_pin(replaced, content.view().first(salt_size)));
  std::copy_n(hash.data(), hash.size(), content.data() + salt_size);
  if (kept > 0) std::copy_n(file->data(), kept, content.data() + entry_size);
  return write_private_file(file_of(token), content.view());
}

}  // namespace cardea::agent
