// Small files of one user: written whole or not at all, readable by nobody else.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace cardea::agent {

/// The content; empty optional when there is no such file. permission_denied, data_length beyond 1 MiB.
Result<std::optional<SecretBytes>> read_private_file(const std::filesystem::path& path);

/// Replaces the file, with mode 0600, and its directory, with mode 0700, where it is missing. permission_denied,
/// device_memory.
Status write_private_file(const std::filesystem::path& path, ByteView content);

/// No failure when there is none.
void remove_private_file(const std::filesystem::path& path);

}  // namespace cardea::agent
