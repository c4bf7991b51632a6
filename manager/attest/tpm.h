// A TPM's word about a key of one of its virtual cards (docs/tpm.md, "Attestation").
#pragma once

#include "domain/ports.h"

namespace cardea::manager::attest {

/// The evidence has the format "tpm" and a `statement`, the text of `cardea tpm attest`. The finding counts only once
/// check_tpm_answer succeeded: before that the attestation key may lie anywhere. data_invalid, signature_invalid in
/// words.
Result<AttestationFinding> verify_tpm(const AttestationClaim& claim, const std::vector<Bytes>& roots);
Status check_tpm_answer(const AttestationClaim& claim, const json::object& challenge, ByteView answer);

}  // namespace cardea::manager::attest
