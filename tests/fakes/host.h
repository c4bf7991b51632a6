// A PKCS#11 host in a few lines, for programs that drive a module from outside: bench, fault and fuzz programs.
// Everything goes through dlopen and the C interface, as in any application. Failures are exceptions here: a test program
// that cannot go on says why and ends.
#pragma once

#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cryptoki/cryptoki.h"

namespace cardea::test {

using Blob = std::vector<CK_BYTE>;

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

/// A template whose values it owns.
class Attributes {
 public:
  Attributes& bytes(CK_ATTRIBUTE_TYPE type, const Blob& value);
  Attributes& text(CK_ATTRIBUTE_TYPE type, std::string_view value);
  Attributes& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  Attributes& flag(CK_ATTRIBUTE_TYPE type, bool value);
  CK_ATTRIBUTE* data() { return list_.data(); }
  CK_ULONG size() const { return list_.size(); }

 private:
  std::deque<Blob> values_;
  std::vector<CK_ATTRIBUTE> list_;
};

struct KeyPair {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
};

/// A loaded module. Initialises nothing by itself; the destructor leaves the module loaded unless unload() was called,
/// as most applications do.
class Host {
 public:
  explicit Host(const std::string& path);
  CK_FUNCTION_LIST* operator->() const { return functions_; }

  /// C_Initialize with operating-system locking; `reserved` for modules that want a string there (NSS softokn).
  void initialize(const std::string& reserved = {});
  void finalize();
  void unload();

  /// All slots that hold a token.
  std::vector<CK_SLOT_ID> slots() const;
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

 private:
  void* library_ = nullptr;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

/// The DER of the P-256 curve's object identifier (RFC 5480, 2.1.1.1), for CKA_EC_PARAMS.
Blob p256_parameters();

}  // namespace cardea::test
