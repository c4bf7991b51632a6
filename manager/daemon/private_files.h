// Files that only the daemon's user may read, and files for all.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea::manager {

enum class FileAccess : unsigned char { owner, all };

/// Writes a new file as a whole and durably. exists when there is one already; permission_denied, device_memory.
Status write_new_file(const std::filesystem::path& file, ByteView content, FileAccess access);

/// The same over a file that may be there: at any moment there is the old one or the new one, whole. What an earlier
/// attempt left beside it (`file`.new) is thrown away.
Status replace_file(const std::filesystem::path& file, ByteView content, FileAccess access);

/// PEM (RFC 7468) of what is secret, in memory that is wiped.
Result<SecretBytes> secret_pem(std::string_view label, const SecretBytes& der);

}  // namespace cardea::manager
