// Where the software keystore and the TPM meet: neither sees the other.
#pragma once

#include <memory>

#include "base/config.h"
#include "keystore/keystore.h"
#include "tpm/tpm_sealer.h"

namespace cardea {

/// The keystore's slots, their tokens sealed and opened by the TPM of the settings.
inline std::unique_ptr<TokenSource> make_sealable_keystore_source(const Settings& settings) {
  return make_keystore_source(settings, make_tpm_sealer(settings.tpm));
}

}  // namespace cardea
