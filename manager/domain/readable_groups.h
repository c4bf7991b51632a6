// Bytes that are read out over the phone: groups of letters and digits, each with a check character, so that a slip is
// found in the group where it happened.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea::manager {

/// Groups of four characters and a check character, separated by hyphens, in an alphabet of 32 without I, L, O and U
/// (as Crockford's base 32): "4K7QX-09AZM". The check character finds every single wrong character and every exchange
/// of neighbours, and depends on the group's place, so that exchanged groups are found too.
std::string to_readable_groups(ByteView bytes);

/// The inverse, of exactly `size` bytes. Case, spaces and hyphens do not matter; O is read as 0, I and L as 1.
/// data_invalid names the number of the wrong group ("group 3 was misheard"); data_length when groups are missing.
Result<Bytes> from_readable_groups(std::string_view text, std::size_t size);

/// A PUK or SO PIN in such groups, its digits as they are: "12345678" is "12345-56781", so that who leaves out the last
/// character of every group has the secret for programs that know no groups. arguments_bad unless it consists of
/// decimal digits, a multiple of four of them.
Result<SecretBytes> digits_to_readable_groups(ByteView digits);

/// The inverse, of exactly `count` digits; lenient and strict as from_readable_groups. The text is in memory that is
/// wiped, and so is the answer.
Result<SecretBytes> digits_from_readable_groups(ByteView text, std::size_t count);

}  // namespace cardea::manager
