// The port KeyToken over PKCS#11: our own module by default, any other by configuration.
#pragma once

#include <memory>

#include "domain/key_token.h"
#include "keys/token_link.h"

namespace cardea::keys {

/// A key token that is opened at its first use. Keys are found by CKA_LABEL.
std::unique_ptr<manager::KeyToken> make_key_token(LinkSettings settings);

}  // namespace cardea::keys
