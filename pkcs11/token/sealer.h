// What binds a secret to one machine, for token kinds that keep their keys in files (docs/keystore.md, "Sealed by the
// TPM"). A port: the keystore uses it, the TPM's folder implements it, and neither sees the other.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea {

inline constexpr std::size_t sealable_size = 32;  ///< bytes of a secret that can be sealed

/// Thread-safe; keeps nothing between calls. Its failures tell in their detail, for a person, why the machine does not
/// do it: device_error (nothing to seal with, or sealed on another machine), permission_denied, store_corrupt (the blob
/// was changed).
class Sealer {
 public:
  virtual ~Sealer() = default;
  /// A blob from which only this machine gets the secret (sealable_size bytes) back. `serial` is the token's.
  virtual Result<Bytes> seal(std::string_view serial, const SecretBytes& secret) = 0;
  /// The secret again.
  virtual Result<SecretBytes> unseal(std::string_view serial, ByteView blob) = 0;
};
using SealerPtr = std::shared_ptr<Sealer>;

}  // namespace cardea
