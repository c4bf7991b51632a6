// The seals of the module's software keystore tokens: cryptoki/seal_interface.h in our terms.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "cryptoki/seal_interface.h"
#include "p11client/session.h"

namespace cardea::p11client {

/// A handle on the seals of a loaded module. Errors are as cryptoki/seal_interface.h says, and their detail is words of
/// the case, for library_failure.
class Seals {
 public:
  /// Those of the module at this path; absent when it is not ours, is an older one, or cannot be loaded.
  static std::optional<Seals> of(const std::string& module);

  /// Whether a token is sealed; false for tokens that cannot be.
  bool sealed(const std::string& serial) const;
  /// Whether the TPM opens the token's seal.
  Status check(const std::string& serial) const;
  /// Answers the recovery code.
  Result<Pin> seal(const std::string& serial, CK_USER_TYPE user, const Pin& pin) const;
  Status unseal(const std::string& serial, CK_USER_TYPE user, const Pin& pin) const;
  /// By the recovery code.
  Status recover(const std::string& serial, const Pin& code) const;

 private:
  explicit Seals(const CARDEA_SEAL_FUNCTIONS& functions) : functions_(&functions) {}

  const CARDEA_SEAL_FUNCTIONS* functions_;
};

/// What keeps a sealed token of the module at this path from being opened on this machine, as a clause that is safe to
/// show; empty when nothing does, or when it is not sealed.
std::string seal_problem(const std::string& module, const TokenInfo& token);

/// The failure of a login: p11_failure, or the words of the token's seal where that is what refuses.
Error login_failure(const Session& session, CK_RV rv, std::string_view what);

}  // namespace cardea::p11client
