// A copy of our own key token while the daemon works with it.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace cardea::manager {

/// Where our module keeps its tokens, in the data directory.
inline constexpr std::string_view key_token_folder = "keys";

/// Copies a folder of tokens to a place where nothing is: databases as they are at one moment, without their logs;
/// what only means something to processes that have a store open is left out (docs/keystore.md). Success when there is
/// no such folder, as with a module of another make. exists, permission_denied, device_memory, and as copy_sqlite.
Status copy_stores(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace cardea::manager
