// Public areas of what is made in the TPM, and the objects that follow from a hierarchy's seed. Internal to this
// folder.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <memory>

#include "esapi/tpm_connection.h"

namespace cardea::tpm {

/// For a key that is made in the TPM; curve_not_supported.
Result<TPM2B_PUBLIC> key_area(const KeyTemplate& wanted);

/// With SHA-256 as name algorithm and nothing else set yet.
TPM2B_PUBLIC new_area(TPMI_ALG_PUBLIC type, TPMA_OBJECT attributes);
/// An elliptic-curve key without fixed scheme; a storage key has a cipher for its children.
void set_curve(TPM2B_PUBLIC& area, TPM2_ECC_CURVE curve, bool storage);

/// TPM2_CreatePrimary.
struct Primary {
  Loaded key;
  Bytes public_area;
};
/// `hierarchy` is an ESYS_TR. permission_denied, saying `denied`, when the hierarchy wants another authorisation.
Result<Primary> create_primary(const std::shared_ptr<EsapiContext>& context, std::uint32_t hierarchy,
                               const SecretBytes& hierarchy_auth, const TPM2B_PUBLIC& area, const char* denied);

}  // namespace cardea::tpm
