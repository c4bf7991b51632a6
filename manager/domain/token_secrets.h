// Secrets of tokens: derived per token from a master key in the key token (docs/manager.md), factory values by kind
// (factory_secrets.def), and answers to administrators' challenges.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "domain/key_token.h"
#include "domain/model.h"

namespace cardea::manager {

/// What a secret is for.
enum class SecretPurpose : std::uint8_t { admin_key, puk, so_pin };
std::string_view word(SecretPurpose purpose);
/// "admin-key", "puk", "so-pin"; arguments_bad.
Result<SecretPurpose> secret_purpose(std::string_view word);

/// Which token a secret belongs to.
struct SecretOwner {
  std::string_view kind;
  std::string_view serial;
};

/// A derived administrator's key of `algorithm` (3des, aes128, aes192, aes256, hmac-sha256). DES keys have odd parity
/// and three different parts (SP 800-67r2, 3.3). arguments_bad for another algorithm or version 0.
Result<SecretBytes> derived_admin_key(KeyToken& keys, const SecretOwner& owner, std::uint32_t version,
                                      std::string_view algorithm);
/// A derived PUK or SO PIN: as many decimal digits, without bias.
Result<SecretBytes> derived_digits(KeyToken& keys, SecretPurpose purpose, const SecretOwner& owner,
                                   std::uint32_t version, std::size_t count);

/// The secret that tokens of the kind come with; not_found when the kind has none of that purpose.
/// `card_type` empty: the kind's usual one.
Result<SecretBytes> factory_secret(std::string_view kind, std::string_view card_type, SecretPurpose purpose);
/// The user PIN they come with; not_found.
Result<SecretBytes> factory_pin(std::string_view kind, std::string_view card_type);
/// The algorithm of the factory's administrator key: "3des", "aes192"; empty without one.
std::string_view factory_algorithm(std::string_view kind, std::string_view card_type);

/// What a kind of token keeps as secrets.
struct KindSecrets {
  std::string_view kind;
  bool made = false;           ///< made by the agent rather than bought
  bool admin_key = false;      ///< an administrator answers challenges
  std::size_t puk_digits = 0;  ///< 0: it has none
  std::size_t so_pin_digits = 0;
};
/// not_found for an unknown kind.
Result<KindSecrets> kind_secrets(std::string_view kind);

/// The answer to a challenge under an administrator's key. PIV (`3des`, `aes…`): one block enciphered (SP 800-73-4
/// part 2, 3.2.4 and A.1); `gids`: 3DES-CBC with a zero vector, no padding; hmac-sha256: HMAC. arguments_bad for a
/// challenge of the wrong length.
Result<Bytes> challenge_answer(std::string_view kind, std::string_view algorithm, const SecretBytes& key,
                               ByteView challenge);

}  // namespace cardea::manager
