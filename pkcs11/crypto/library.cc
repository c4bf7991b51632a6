#include "crypto/library.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>

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
  }
  ~Library() {
    OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(context);
  }
};

}  // namespace

OSSL_LIB_CTX* context() {
  return process_singleton<Library>(Root::crypto).context;
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
