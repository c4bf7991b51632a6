// The extensions a request asks for: subject alternative names, key usage, extended key usage.
#pragma once

#include <openssl/x509.h>

#include <memory>

#include "base/result.h"
#include "x509/request.h"

namespace cardea::x509 {

/// A list of extensions, owned.
class Extensions {
 public:
  Extensions() : list_(sk_X509_EXTENSION_new_null()) {}
  STACK_OF(X509_EXTENSION) * get() const { return list_.get(); }
  bool empty() const { return sk_X509_EXTENSION_num(list_.get()) == 0; }
  /// Appends the extension of this kind with `value`, OpenSSL's structure for it.
  Status add(int nid, bool critical, void* value);

 private:
  struct Free {
    void operator()(STACK_OF(X509_EXTENSION) * list) const { sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free); }
  };
  std::unique_ptr<STACK_OF(X509_EXTENSION), Free> list_;
};

/// arguments_bad says which word is not understood.
Result<Extensions> make_extensions(const RequestSpec& spec);

}  // namespace cardea::x509
