// Where the manager's PIN for its key token stands: a file, or a credential that systemd hands over.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace cardea::keys {

/// The first line of the file. "credential:NAME" means the file NAME in $CREDENTIALS_DIRECTORY (systemd's
/// LoadCredential=). not_found when there is none, permission_denied when it cannot be read or other users can read it,
/// user_pin_not_initialized when the line is empty, pin_length beyond 1,024 bytes; all in words.
Result<Pin> read_pin(const std::string& source);

}  // namespace cardea::keys
