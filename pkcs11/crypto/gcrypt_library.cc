#include "crypto/gcrypt_library.h"

#include <dlfcn.h>
#include <pthread.h>

#include <type_traits>

#include "base/process_root.h"

namespace cardea::crypto {
namespace {

std::mutex running;

void hold_for_fork() {
  running.lock();
}
void release_after_fork() {
  running.unlock();
}
// When the library is loaded, before anybody can hold the lock: a child of a fork that came between the first turn and
// the handlers would find it taken for ever.
[[maybe_unused]] const int fork_waits = pthread_atfork(hold_for_fork, release_after_fork, release_after_fork);

}  // namespace

GcryptLibrary::GcryptLibrary() {
  // Never closed: libgcrypt does not clean up after itself, and others may be using it.
  void* const library = dlopen("libgcrypt.so.20", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  usable = library != nullptr && find(library) && set_up();
}

bool GcryptLibrary::find(void* library) {
  const auto get = [library](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    return function != nullptr;
  };
  return get(check_version, "gcry_check_version") && get(control, "gcry_control") &&
         get(malloc_secure, "gcry_malloc_secure") && get(free, "gcry_free") && get(sexp_build, "gcry_sexp_build") &&
         get(sexp_release, "gcry_sexp_release") && get(sexp_find_token, "gcry_sexp_find_token") &&
         get(sexp_nth_data, "gcry_sexp_nth_data") && get(pk_sign, "gcry_pk_sign") && get(pk_verify, "gcry_pk_verify") &&
         get(md_open, "gcry_md_open") && get(md_close, "gcry_md_close") && get(md_copy, "gcry_md_copy") &&
         get(md_write, "gcry_md_write") && get(md_read, "gcry_md_read");
}

// A host that uses libgcrypt has set it up as it wants; only when nobody has, we do the least. The default pool of
// locked memory is left as it is. Without it libgcrypt's secrets would not be wiped.
bool GcryptLibrary::set_up() const {
  if (control(GCRYCTL_INITIALIZATION_FINISHED_P) != 0) return check_version("1.10.0") != nullptr;
  if (check_version("1.10.0") == nullptr) return false;
  control(GCRYCTL_SUSPEND_SECMEM_WARN);  // it would go to the host's stderr where the system lets nobody lock memory
  control(GCRYCTL_DISABLE_PRIV_DROP);    // in a set-user-id host it would change the host's user
  control(GCRYCTL_INITIALIZATION_FINISHED, 0);
  return true;
}

const GcryptLibrary& gcrypt() {
  return process_singleton<GcryptLibrary>(Root::gcrypt);
}

GcryptTurn::GcryptTurn() : lock_(running) {}

}  // namespace cardea::crypto
