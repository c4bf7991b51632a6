// Filling a PIV card from files, without the card's commands: what an issuer's system would do.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/bytes.h"
#include "base/result.h"
#include "card/piv_state.h"

namespace cardea::vcard {

/// Puts a data object on the card. The content may stand in its outer tag (53, or 7E for the discovery object) or
/// without it; an empty one is removed.
void load_object(PivState& state, std::uint32_t tag, ByteView content);

/// Puts a certificate, PEM or DER, into the container that belongs to a key reference (SP 800-73-4 part 1, table 3).
/// Codes: arguments_bad for a reference without a container, data_invalid.
Status load_certificate(PivState& state, Byte reference, ByteView content);

/// Puts an unencrypted private key, PEM or DER, under a key reference, with the PIN policy that the standard gives it.
/// Codes: arguments_bad for a reference that holds no key; those of CardKey::from_file.
Status load_key(PivState& state, Byte reference, ByteView content);

/// Puts the objects and certificates of a folder on the card that is laid out like those of the GSA's ICAM test cards:
/// "8 - CHUID Object", "3 - ICAM_PIV_Auth_….crt" and so on, the number saying which container it is. Returns how many
/// were loaded. Codes: not_found, data_invalid.
Result<int> load_folder(PivState& state, const std::filesystem::path& folder);

/// A file's content. Codes: not_found.
Result<SecretBytes> read_whole_file(const std::filesystem::path& file);

}  // namespace cardea::vcard
