// Bytes that are read out over the phone: groups of letters and digits, each with a check character, so that a slip is
// found in the group where it happened.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::manager {

/// Groups of four characters and a check character, separated by hyphens, in an alphabet of 32 without I, L, O and U
/// (as Crockford's base 32): "4K7QX-09AZM". The check character finds every single wrong character and every exchange
/// of neighbours, and depends on the group's place, so that exchanged groups are found too.
std::string to_readable_groups(ByteView bytes);

/// The inverse, of exactly `size` bytes. Case, spaces and hyphens do not matter; O is read as 0, I and L as 1.
/// data_invalid names the number of the wrong group ("group 3 was misheard"); data_length when groups are missing.
Result<Bytes> from_readable_groups(std::string_view text, std::size_t size);

}  // namespace cardea::manager
