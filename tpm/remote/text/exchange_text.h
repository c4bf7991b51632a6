// Statements, challenges and wrapped keys as text, for files and messages: JSON objects whose members are base64, with
// the format's name and version (docs/tpm.md, "Attestation", "Keys from elsewhere").
#pragma once

#include <string>
#include <string_view>

#include "tpm_remote/attestation.h"
#include "tpm_remote/wrapping.h"

namespace cardea::tpm {

std::string to_text(const AttestationStatement& statement);
/// data_invalid in words; store_newer for a version that we do not know.
Result<AttestationStatement> statement_from_text(std::string_view text);

std::string to_text(const KeptChallenge& kept);
/// As statement_from_text.
Result<KeptChallenge> kept_challenge_from_text(std::string_view text);

/// Everything, but without the key of the inner wrapper where that travels another way. The text is secret with it.
SecretBytes to_text(const WrappedKey& wrapped, bool with_inner_key);
/// As statement_from_text. Without inner_key when the text has none.
Result<WrappedKey> wrapped_key_from_text(std::string_view text);

}  // namespace cardea::tpm
