// What bench, fault and fuzz programs do again and again with a module: make a token, log in, make keys, sign. On top
// of conformance/p11.h; a call that fails is an exception here, because such a program cannot go on and should say why.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/p11.h"

namespace cardea::test {

using Blob = p11::Bytes;
using Attributes = p11::Template;

/// A call that did not answer CKR_OK.
class CallFailed : public std::runtime_error {
 public:
  CallFailed(const char* call, CK_RV rv);
  CK_RV rv() const noexcept { return rv_; }

 private:
  CK_RV rv_;
};

/// Throws CallFailed unless `rv` is CKR_OK.
void expect_ok(CK_RV rv, const char* call);

struct KeyPair {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
};

/// A loaded module. Initialises nothing by itself; the destructor only unloads.
class Host : public p11::Module {
 public:
  using Module::Module;

  /// C_Initialize with operating-system locking; `reserved` for modules that want a string there (NSS softokn).
  void start(const std::string& reserved = {}) const;
  void finalize() const;

  /// The slot whose token has that label; throws when there is none.
  CK_SLOT_ID slot(std::string_view label) const;
  /// Initialises the first uninitialised token and sets both PINs.
  CK_SLOT_ID make_token(std::string_view label, std::string_view so_pin, std::string_view pin) const;
  CK_SESSION_HANDLE open(CK_SLOT_ID slot) const;
  void login(CK_SESSION_HANDLE session, std::string_view pin) const;
  CK_RV try_login(CK_SESSION_HANDLE session, std::string_view pin) const;

  KeyPair make_p256(CK_SESSION_HANDLE session, const Blob& id, bool on_token = true) const;
  KeyPair make_rsa2048(CK_SESSION_HANDLE session, const Blob& id) const;
  CK_OBJECT_HANDLE make_aes256(CK_SESSION_HANDLE session, const Blob& id) const;
  CK_OBJECT_HANDLE create(CK_SESSION_HANDLE session, Attributes attributes) const;
  std::vector<CK_OBJECT_HANDLE> find(CK_SESSION_HANDLE session, Attributes attributes) const;
  Blob value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  /// One C_SignInit and C_Sign.
  Blob sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE mechanism, const Blob& data) const;
  CK_RV verify(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE mechanism, const Blob& data,
               const Blob& signature) const;
};

/// The DER of the P-256 curve's object identifier (RFC 5480, 2.1.1.1), for CKA_EC_PARAMS.
Blob p256_parameters();

}  // namespace cardea::test
