// A PKCS#11 module, loaded by path, and what it says of its slots and tokens.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cryptoki/cryptoki.h"
#include "p11client/uri.h"

namespace cardea::p11client {

/// A slot's token as it describes itself. Texts are without padding and safe to show.
struct TokenInfo {
  CK_SLOT_ID slot = 0;
  std::string label;
  std::string manufacturer;
  std::string model;
  std::string serial;
  CK_FLAGS flags = 0;
  CK_ULONG min_pin_length = 0;  ///< bytes
  CK_ULONG max_pin_length = 0;  ///< bytes

  bool has(CK_FLAGS flag) const { return (flags & flag) != 0; }
  bool initialized() const { return has(CKF_TOKEN_INITIALIZED); }
};

struct MechanismInfo {
  CK_MECHANISM_TYPE type = 0;
  CK_MECHANISM_INFO info = {};
};

/// True when every part that the URI names is the token's (RFC 7512, 2.4).
bool matches(const Uri& uri, const TokenInfo& token);

/// A module that was loaded and initialised. C_Finalize is called at the end; the library stays mapped.
class Module {
 public:
  /// not_found when there is no such file or it cannot be loaded, in words.
  static Result<std::unique_ptr<Module>> load(const std::string& path);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const CK_FUNCTION_LIST* operator->() const { return functions_; }
  const std::string& path() const { return path_; }

  Result<CK_INFO> info() const;
  /// The tokens of all slots that have one, uninitialised ones as well.
  Result<std::vector<TokenInfo>> tokens() const;
  Result<TokenInfo> token(CK_SLOT_ID slot) const;
  Result<std::vector<MechanismInfo>> mechanisms(CK_SLOT_ID slot) const;
  /// The mechanism's flags; 0 when the slot does not have it.
  CK_FLAGS mechanism_flags(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism) const;

 private:
  Module(std::string path, const CK_FUNCTION_LIST* functions) : path_(std::move(path)), functions_(functions) {}

  std::string path_;
  const CK_FUNCTION_LIST* functions_;
};

/// Where the module is: the argument, else CARDEA_MODULE, else libcardea-pkcs11.so beside this program (build tree or
/// installation). In a set-uid process the environment is ignored.
std::string module_path(const std::string& argument);

/// libcardea-pkcs11.so beside this program, whatever the environment names.
std::string own_module_path();

}  // namespace cardea::p11client
