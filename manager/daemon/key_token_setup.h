// Makes the token in which the manager keeps its own keys: a keystore of ours under the data directory.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace cardea::manager {

/// Makes our module look for its stores under this folder, for this process; before the module is loaded.
void use_own_token_home(const std::filesystem::path& data_directory);

/// Makes the token with random PINs; the user's goes to `pin_file` and the security officer's to `pin_file`.so, both
/// for their owner only. exists when a token of that label is there. Errors in words.
Status make_own_key_token(const std::string& label, const std::filesystem::path& pin_file);

}  // namespace cardea::manager
