// The slots of virtual smart cards.
#pragma once

#include <memory>

#include "base/config.h"
#include "token/token_source.h"

namespace cardea {

/// A slot for each virtual card in the state directory. None when the settings switch them off, or when the TPM is a
/// device that this machine does not have.
std::unique_ptr<TokenSource> make_tpm_source(const Settings& settings);

}  // namespace cardea
