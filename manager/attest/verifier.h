// Who is believed to say where a key was made: makers of PIV cards and of TPMs, known by their authorities.
#pragma once

#include <memory>
#include <vector>

#include "domain/ports.h"

namespace cardea::manager {

/// Certificates in DER; each is trusted by itself. A kind without any is not trusted.
struct AttestationRoots {
  std::vector<Bytes> piv;  ///< authorities over the attestation keys (F9) of PIV cards
  std::vector<Bytes> tpm;  ///< authorities over endorsement keys
};

/// Verifies statements of PIV cards that attest as Yubico's do, and of virtual cards in a TPM (docs/tpm.md).
std::unique_ptr<AttestationVerifier> make_attestation_verifier(AttestationRoots roots);

}  // namespace cardea::manager
