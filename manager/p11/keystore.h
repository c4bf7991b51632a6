// The module's software keystore, asked for what PKCS#11 has no call for: cryptoki/keystore_interface.h in our terms.
// Only the module opens stores: a second copy of SQLite in this process would undo the locks of the first
// (https://sqlite.org/howtocorrupt.html, 2.2.1).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "cryptoki/keystore_interface.h"
#include "p11client/findings.h"

namespace cardea::p11client {

/// What a check of all tokens saw.
struct KeystoreCheck {
  std::size_t tokens = 0;
  Findings findings;  ///< safe to show
};

/// A token of SoftHSM2 on disk. Texts as they stand there.
struct SofthsmToken {
  std::filesystem::path path;
  std::string label;
  std::string serial;
};

/// What an import did. Texts as they stand on the token.
struct ImportReport {
  std::string serial;
  std::string label;
  std::size_t imported = 0;  ///< objects
  std::vector<std::string> skipped;
};

/// A handle on the keystore of a loaded module. Errors are as virtual-token/keystore/keystore.h says, and their detail
/// is words of the case, for library_failure.
class Keystore {
 public:
  /// That of the module at this path; absent when it is not ours or cannot be loaded. Does not initialise it.
  static std::optional<Keystore> of(const std::string& module);
  /// That of the module at this path or, when it has none, of the module beside this program.
  static std::optional<Keystore> near(const std::string& module);

  /// Wrong PINs that a token of the keystore still allows; absent for other tokens and when unlimited.
  std::optional<int> tries_left(const std::string& serial, CK_USER_TYPE user) const;
  Status delete_token(const std::string& serial) const;
  Result<KeystoreCheck> check() const;
  Result<std::vector<SofthsmToken>> find_softhsm_tokens(const std::filesystem::path& directory) const;
  Result<ImportReport> import_softhsm(const std::filesystem::path& token, const Pin& user_pin, const Pin& so_pin) const;

 private:
  explicit Keystore(const CARDEA_KEYSTORE_FUNCTIONS& functions) : functions_(&functions) {}

  const CARDEA_KEYSTORE_FUNCTIONS* functions_;
};

}  // namespace cardea::p11client
