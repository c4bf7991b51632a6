// What we use of libgcrypt: the signatures of RFC 8032 and the digests that OpenSSL lacks.
#pragma once

#include <gcrypt.h>

#include <mutex>

namespace cardea::crypto {

/// libgcrypt's functions, loaded when first asked for: linking it would make every host that loads the module pay for
/// it.
struct GcryptLibrary {
  decltype(&gcry_check_version) check_version = nullptr;
  decltype(&gcry_control) control = nullptr;
  decltype(&gcry_malloc_secure) malloc_secure = nullptr;
  decltype(&gcry_free) free = nullptr;
  decltype(&gcry_sexp_build) sexp_build = nullptr;
  decltype(&gcry_sexp_release) sexp_release = nullptr;
  decltype(&gcry_sexp_find_token) sexp_find_token = nullptr;
  decltype(&gcry_sexp_nth_data) sexp_nth_data = nullptr;
  decltype(&gcry_pk_sign) pk_sign = nullptr;
  decltype(&gcry_pk_verify) pk_verify = nullptr;
  decltype(&gcry_md_open) md_open = nullptr;
  decltype(&gcry_md_close) md_close = nullptr;
  decltype(&gcry_md_copy) md_copy = nullptr;
  decltype(&gcry_md_write) md_write = nullptr;
  decltype(&gcry_md_read) md_read = nullptr;
  bool usable = false;  ///< false: there is no libgcrypt 1.10 on this system

  GcryptLibrary();

 private:
  bool find(void* library);
  bool set_up() const;
};

const GcryptLibrary& gcrypt();

/// Held while libgcrypt works with keys: the whole process shares its pool of locked memory, which is 32 KiB. fork()
/// waits for it too, so that a child never inherits a lock of libgcrypt's that nobody will release.
class GcryptTurn {
 public:
  GcryptTurn();

 private:
  std::lock_guard<std::mutex> lock_;
};

}  // namespace cardea::crypto
