#include "crypto/library.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <array>
#include <new>

#include "base/process_root.h"

namespace cardea::crypto {
namespace {

struct Library {
  OSSL_LIB_CTX* context;
  OSSL_PROVIDER* provider;

  Library() {
    static_cast<void>(usable());
    context = OSSL_LIB_CTX_new();
    if (context == nullptr) throw std::bad_alloc();
    provider = OSSL_PROVIDER_load(context, "default");
    if (provider == nullptr) throw std::bad_alloc();
    // OpenSSL's own choice, CTR_DRBG, fetches a cipher, and the first fetch of a kind sets up all algorithms of that
    // kind: for 130 ciphers that is a third of OpenSSL's start. The hashes are set up for signatures anyway. Both
    // generators are of SP 800-90A (10.1.1, 10.2.1), with a strength of 256 bits.
    if (RAND_set_DRBG_type(context, "HASH-DRBG", nullptr, nullptr, "SHA2-256") != 1) throw std::bad_alloc();
  }
  ~Library() {
    OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(context);
  }
};

// An algorithm's names stand in one string, with colons between.
bool is_among(std::string_view names, std::string_view name) {
  for (;;) {
    const std::size_t colon = names.find(':');
    if (names.substr(0, colon) == name) return true;
    if (colon == std::string_view::npos) return false;
    names.remove_prefix(colon + 1);
  }
}

}  // namespace

OSSL_LIB_CTX* context() {
  return process_singleton<Library>(Root::crypto).context;
}

void* provider_context() {
  return OSSL_PROVIDER_get0_provider_ctx(process_singleton<Library>(Root::crypto).provider);
}

const OSSL_DISPATCH* provided(int operation, std::string_view name) {
  OSSL_PROVIDER* const provider = process_singleton<Library>(Root::crypto).provider;
  int no_store = 0;
  const OSSL_ALGORITHM* const all = OSSL_PROVIDER_query_operation(provider, operation, &no_store);
  const OSSL_DISPATCH* found = nullptr;
  for (const OSSL_ALGORITHM* each = all; each != nullptr && each->algorithm_names != nullptr; ++each) {
    if (is_among(each->algorithm_names, name)) found = each->implementation;
  }
  OSSL_PROVIDER_unquery_operation(provider, operation, all);
  return found;
}

bool usable() noexcept {
  // When nobody has used OpenSSL in this process yet, it is told not to clean up at exit, so that late calls stay safe.
  // That must be its first call of all: others, ERR_set_mark among them, make it clean up. Nothing here asks for the
  // host's configuration file, nor keeps the host from loading it. But OpenSSL reads it, for the host's context and not
  // for ours, when it is first asked for randomness, by us or inside a signature: RAND_get_rand_method() looks for a
  // default ENGINE, and that lookup starts with the file. Only a setting that the whole process shares
  // (OPENSSL_INIT_NO_LOAD_CONFIG) would prevent that, and the host would then never get its configuration.
  return OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr) == 1;
}

ErrorScope::ErrorScope() noexcept {
  ERR_set_mark();
}

ErrorScope::~ErrorScope() {
  ERR_pop_to_mark();
}

Error openssl_error(Code code, SourcePlace where) {
  const unsigned long number = ERR_peek_last_error();
  std::array<char, 256> text{};
  if (number != 0) ERR_error_string_n(number, text.data(), text.size());
  return error(code, text.data(), where);
}

}  // namespace cardea::crypto
