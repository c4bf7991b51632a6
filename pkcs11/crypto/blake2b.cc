#include "crypto/blake2b.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <cstring>
#include <new>

#include "base/process_root.h"
#include "crypto/gcrypt_library.h"
#include "crypto/library.h"

// An OpenSSL provider (provider(7), provider-digest(7)): OpenSSL calls these functions, libgcrypt does the work.
namespace cardea::crypto {
namespace {

constexpr std::size_t block_bytes = 128;  // RFC 7693, 2.1
constexpr const char* provider_name = "cardea-blake2b";

struct Running {
  gcry_md_hd_t digest = nullptr;

  Running() = default;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { close(); }
  void close() noexcept {
    if (digest != nullptr) gcrypt().md_close(digest);  // which wipes it
    digest = nullptr;
  }
};

void* new_context(void*) noexcept {
  return new (std::nothrow) Running;
}

void free_context(void* context) noexcept {
  delete static_cast<Running*>(context);
}

void* copy_context(void* context) noexcept {
  const Running& from = *static_cast<const Running*>(context);
  auto* const copy = new (std::nothrow) Running;
  if (copy == nullptr || from.digest == nullptr || gcrypt().md_copy(&copy->digest, from.digest) == 0) return copy;
  delete copy;
  return nullptr;
}

template <int algorithm>
int begin(void* context, const OSSL_PARAM*) noexcept {
  auto* const running = static_cast<Running*>(context);
  running->close();
  return gcrypt().md_open(&running->digest, algorithm, 0) == 0 ? 1 : 0;
}

int update(void* context, const unsigned char* data, std::size_t length) noexcept {
  gcrypt().md_write(static_cast<Running*>(context)->digest, data, length);
  return 1;
}

template <std::size_t size>
int finish(void* context, unsigned char* out, std::size_t* written, std::size_t room) noexcept {
  const unsigned char* const made = gcrypt().md_read(static_cast<Running*>(context)->digest, 0);
  if (made == nullptr || room < size) return 0;
  std::memcpy(out, made, size);
  *written = size;
  return 1;
}

template <std::size_t size>
int tell(OSSL_PARAM* wanted) noexcept {
  const auto answer = [wanted](const char* name, std::size_t value) {
    OSSL_PARAM* const place = OSSL_PARAM_locate(wanted, name);
    return place == nullptr || OSSL_PARAM_set_size_t(place, value) == 1;
  };
  return answer(OSSL_DIGEST_PARAM_SIZE, size) && answer(OSSL_DIGEST_PARAM_BLOCK_SIZE, block_bytes) ? 1 : 0;
}

template <class Function>
OSSL_DISPATCH entry(int number, Function* function) noexcept {
  return {number, reinterpret_cast<void (*)()>(function)};
}

template <int algorithm, std::size_t size>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry(OSSL_FUNC_DIGEST_NEWCTX, new_context),    entry(OSSL_FUNC_DIGEST_FREECTX, free_context),
      entry(OSSL_FUNC_DIGEST_DUPCTX, copy_context),   entry(OSSL_FUNC_DIGEST_INIT, begin<algorithm>),
      entry(OSSL_FUNC_DIGEST_UPDATE, update),         entry(OSSL_FUNC_DIGEST_FINAL, finish<size>),
      entry(OSSL_FUNC_DIGEST_GET_PARAMS, tell<size>), {0, nullptr}};
  return table;
}

const OSSL_ALGORITHM* algorithms(void*, int operation, int* no_cache) noexcept {
  static const OSSL_ALGORITHM digests[] = {
      {"BLAKE2B-160", "provider=cardea-blake2b", functions<GCRY_MD_BLAKE2B_160, 20>(), nullptr},
      {"BLAKE2B-256", "provider=cardea-blake2b", functions<GCRY_MD_BLAKE2B_256, 32>(), nullptr},
      {"BLAKE2B-384", "provider=cardea-blake2b", functions<GCRY_MD_BLAKE2B_384, 48>(), nullptr},
      {nullptr, nullptr, nullptr, nullptr}};
  *no_cache = 0;
  return operation == OSSL_OP_DIGEST ? digests : nullptr;
}

int start_provider(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH*, const OSSL_DISPATCH** out,
                   void** provider_context) noexcept {
  static const OSSL_DISPATCH table[] = {entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, algorithms), {0, nullptr}};
  *out = table;
  // The digests need nothing of it, but OpenSSL wants one.
  *provider_context = const_cast<OSSL_CORE_HANDLE*>(handle);
  return 1;
}

struct Provider {
  OSSL_PROVIDER* loaded = nullptr;

  Provider() {
    const GcryptTurn turn;
    if (!gcrypt().usable) return;
    OSSL_PROVIDER_add_builtin(context(), provider_name, start_provider);
    loaded = OSSL_PROVIDER_load(context(), provider_name);
  }
  ~Provider() {
    if (loaded != nullptr) OSSL_PROVIDER_unload(loaded);
  }
};

}  // namespace

void provide_short_blake2b() {
  process_singleton<Provider>(Root::blake2b);
}

}  // namespace cardea::crypto
