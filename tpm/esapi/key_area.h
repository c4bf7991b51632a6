// Public areas of what is made in the TPM, and the objects that follow from a hierarchy's seed. Internal to this
// folder.
#pragma once

#include <tss2/tss2_esys.h>

#include <memory>

#include "esapi/tpm_connection.h"

namespace cardea::tpm {

/// For a key that is made in the TPM; curve_not_supported.
Result<TPM2B_PUBLIC> key_area(const KeyTemplate& wanted);

/// With SHA-256 as name algorithm and nothing else set yet.
TPM2B_PUBLIC new_area(TPMI_ALG_PUBLIC type, TPMA_OBJECT attributes);
/// An elliptic-curve key without fixed scheme; a storage key has a cipher for its children.
void set_curve(TPM2B_PUBLIC& area, TPM2_ECC_CURVE curve, bool storage);

/// Where keys follow from a seed.
struct Hierarchy {
  std::uint32_t handle;  ///< ESYS_TR
  const char* name;
  const char* setting;  ///< of the table [tpm], which names the file with its authorisation
};
inline constexpr Hierarchy owner_hierarchy{ESYS_TR_RH_OWNER, "owner", "hierarchy_auth_file"};
inline constexpr Hierarchy endorsement_hierarchy{ESYS_TR_RH_ENDORSEMENT, "endorsement", "endorsement_auth_file"};

/// TPM2_CreatePrimary.
struct Primary {
  Loaded key;
  Bytes public_area;
};
/// function_failed, in words, when the hierarchy wants another authorisation.
Result<Primary> create_primary(const std::shared_ptr<EsapiContext>& context, const Hierarchy& hierarchy,
                               const SecretBytes& hierarchy_auth, const TPM2B_PUBLIC& area);

/// What a hierarchy says that does not accept that authorisation, as function_failed.
Error denied(const Hierarchy& hierarchy, const SecretBytes& hierarchy_auth);

}  // namespace cardea::tpm
