// Files that belong to this user alone: the cache of card contents, and the state that processes share.
#pragma once

#include <filesystem>
#include <optional>

#include "base/bytes.h"

namespace cardea::card {

/// Makes the directory and its parents with mode 0700 where they are missing. False when it is not there afterwards, is
/// no directory, belongs to another user, or others may write to it: a directory under /tmp may be anybody's trap.
bool ensure_private_directory(const std::filesystem::path& directory);

/// The whole of a regular file of this user; empty optional for anything else and for more than `limit` bytes.
std::optional<Bytes> read_private_file(const std::filesystem::path& file, std::size_t limit);

/// Replaces a file as a whole, mode 0600. False when it could not be written; then the old one stays.
bool replace_private_file(const std::filesystem::path& file, ByteView content);

}  // namespace cardea::card
