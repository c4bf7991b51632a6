// The software keystore: tokens in files under Settings::home. docs/keystore.md describes what is on disk.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/secret.h"
#include "token/sealer.h"
#include "token/token_source.h"

namespace cardea {

/// The slots of all keystore tokens in Settings::home, oldest first, and one uninitialised slot for C_InitToken.
/// No slots when the keystore is switched off. The sealer opens sealed tokens; without one they are there and do not
/// open.
std::unique_ptr<TokenSource> make_keystore_source(const Settings& settings, SealerPtr sealer = nullptr);

namespace keystore {

/// Removes a token and all its keys for good. No PIN: who may write the directory could remove it anyway.
/// not_found, permission_denied.
Status delete_token(const Settings& settings, const std::string& serial);

/// How far a PIN of this token is from its lock. not_found; errors as KeystoreToken::open.
Result<PinState> pin_state(const Settings& settings, const std::string& serial, Role role);

/// A token's seal. Each answers not_found for an unknown token, and the errors of KeystoreToken's function of that
/// name.
Result<bool> is_sealed(const Settings& settings, const std::string& serial);
Status check_seal(const Settings& settings, const std::string& serial, const SealerPtr& sealer);
/// Answers the recovery code, to be shown once.
Result<Pin> seal_token(const Settings& settings, const std::string& serial, const SealerPtr& sealer, Role role,
                       const Pin& pin);
Status unseal_token(const Settings& settings, const std::string& serial, const SealerPtr& sealer, Role role,
                    const Pin& pin);
Status unseal_token_with_code(const Settings& settings, const std::string& serial, const Pin& code);

/// Something that a check found, with what to do about it.
struct Finding {
  std::string subject;    ///< a path or "token <serial>"
  std::string sentence;   ///< what is wrong
  std::string next_step;  ///< what to do
};

/// What a check of all tokens saw.
struct CheckReport {
  std::size_t tokens = 0;
  std::vector<Finding> findings;
};

/// Reads every token whole: directories, permissions, format, database integrity, each object's public side. Needs no
/// PIN. Makes permissions right where that is possible. Asks the sealer whether it opens the seals there are.
CheckReport check_keystore(const Settings& settings, const SealerPtr& sealer = nullptr);

/// A token of SoftHSM2 found on disk.
struct SofthsmToken {
  std::filesystem::path path;  ///< its directory
  std::string label;
  std::string serial;
};

/// The tokens under SoftHSM2's directories.tokendir, of both back ends. not_found when there is no such directory.
Result<std::vector<SofthsmToken>> find_softhsm_tokens(const std::filesystem::path& token_directory);

/// What an import did.
struct ImportReport {
  std::string serial;  ///< of the new token
  std::string label;
  std::size_t imported = 0;          ///< objects
  std::vector<std::string> skipped;  ///< one sentence for each object that could not be taken over, and why
};

/// Copies a SoftHSM2 token (its directory) into a new keystore token with the same label and PINs. The source is only
/// read. pin_incorrect says in its detail whose PIN was wrong; pin_length when a PIN does not fit this keystore's
/// limits; store_corrupt when the source is damaged as a whole.
Result<ImportReport> import_softhsm(const Settings& settings, const std::filesystem::path& token, const Pin& user_pin,
                                    const Pin& so_pin);

}  // namespace keystore
}  // namespace cardea
