// Whether only the user and root can have put a file where it is. Code is loaded from such places only.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace cardea::card::plugin {

/// The path with every symbolic link resolved. permission_denied, in words, when it or a folder above it belongs to
/// somebody else or can be written by others; not_found; arguments_bad for a relative path.
Result<std::filesystem::path> trusted_path(const std::filesystem::path& path);

}  // namespace cardea::card::plugin
