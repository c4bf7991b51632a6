// The module's virtual smart cards in the TPM, asked for what PKCS#11 has no call for: cryptoki/tpm_interface.h in our
// terms.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "cryptoki/tpm_interface.h"
#include "tpm_remote/attestation.h"
#include "tpm_remote/wrapping.h"

namespace cardea::p11client {

/// A virtual card. Texts are safe to show.
struct TpmCard {
  std::string serial;
  std::string label;
  std::size_t keys = 0;
  CARDEA_CARD_HEALTH health = 0;
  std::string words;         ///< about its health; empty when ready
  std::size_t failures = 0;  ///< wrong PINs that the TPM has counted
  std::size_t limit = 0;     ///< how many it allows; 0: unknown
  std::size_t seconds = 0;   ///< after which it forgets one

  bool ready() const { return health == 0; }
};

/// What a new card starts with.
struct TpmCardSecrets {
  Pin user_pin;
  Pin puk;
  SecretBytes admin_key;
};

inline constexpr std::size_t tpm_admin_key_size = 32;  ///< bytes
inline constexpr std::size_t tpm_challenge_size = 32;  ///< bytes of a challenge and of its answer

/// A handle on the virtual cards of a loaded module. Errors are as cryptoki/tpm_interface.h says, and their detail is
/// words of the case, for library_failure.
class TpmCards {
 public:
  /// Those of the module at this path or, when it has none, of the module beside this program; absent when neither has.
  static std::optional<TpmCards> near(const std::string& module);

  /// Answers the serial number.
  Result<std::string> create(const std::string& label, const TpmCardSecrets& secrets) const;
  Result<std::vector<TpmCard>> list() const;
  Status renew(const std::string& serial, const TpmCardSecrets& secrets) const;
  Status destroy(const std::string& serial) const;
  /// `answer` gets the challenge, and answers it or fails.
  Status unblock(const std::string& serial, const Pin& new_pin,
                 const std::function<Result<Bytes>(ByteView challenge)>& answer) const;

  /// Of the one private key with that label and id.
  Result<tpm::AttestationStatement> attest(const std::string& serial, const Pin& pin,
                                           const std::optional<std::string>& label, const std::optional<Bytes>& id,
                                           ByteView nonce) const;
  Result<SecretBytes> activate(const std::string& serial, const tpm::Credential& credential) const;
  /// TPM2B_PUBLIC.
  Result<Bytes> storage_key(const std::string& serial) const;
  Status import_key(const std::string& serial, const Pin& pin, const tpm::WrappedKey& wrapped, const std::string& label,
                    ByteView id) const;

 private:
  explicit TpmCards(const CARDEA_TPM_FUNCTIONS& functions) : functions_(&functions) {}

  const CARDEA_TPM_FUNCTIONS* functions_;
};

}  // namespace cardea::p11client
